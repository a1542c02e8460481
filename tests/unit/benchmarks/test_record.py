from pathlib import Path

from harness.goals import Goal, judge
from harness.record import Record, read, write
from harness.result import Result, Run


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    result = Result("plain", "kingpost", "Kingpost", runs=[Run(9.0, 5.0, 0.5, 1, 0, 1, 2, 10, 0)])
    result.take_medians()
    record = Record({"peers": {}}, {("plain", "kingpost"): result})
    file = tmp_path / "deep" / "bench.json"

    write(file, record, [judge(Goal("", "plain", "kingpost", 1.0, "rust"), record.results)])

    assert read(file) == record
