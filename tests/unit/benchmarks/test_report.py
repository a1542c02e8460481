from harness.exchange import PLAINTEXT
from harness.load import LoadRow, entries
from harness.picture import draw
from harness.report import row_lines
from harness.result import Result, Run

ROW = LoadRow("plain", "plaintext", PLAINTEXT, entries("kingpost", "japronto"))


def result(subject: str, costs: list[float], load: float = 0.5) -> Result:
    made = Result("plain", subject, subject)
    made.runs = [Run(1e6 / cost, cost, load, 1.0, 0.0, 0.5, 1.0, 1000, 0) for cost in costs]
    made.take_medians()
    return made


def test_values_are_medians_of_the_runs() -> None:
    assert result("kingpost", [5.0, 4.0, 9.0]).values["cpu_us"] == 5.0


def test_the_ratio_comes_first_and_ours_is_one() -> None:
    lines = row_lines(ROW, [result("japronto", [10.0]), result("kingpost", [5.0])])

    assert [line.split()[0] for line in lines[3:]] == ["1.00", "2.00"]


def test_requests_a_second_are_bracketed_where_the_generator_was_saturated() -> None:
    lines = row_lines(ROW, [result("kingpost", [5.0], load=0.95)])

    assert "(200,000)" in lines[-1]


def test_a_peer_that_is_not_there_is_a_line_that_says_why() -> None:
    gone = Result("plain", "japronto", "Japronto", missing="no Python 3.6 found")

    assert "Japronto: no Python 3.6 found" in row_lines(ROW, [gone])[-1]


def test_the_picture_draws_a_bar_for_every_figure() -> None:
    results = {("plain", name): result(name, [5.0]) for name in ("kingpost", "japronto")}

    assert draw(results, "a <machine>").count("<rect") == 2
    assert "a &lt;machine&gt;" in draw(results, "a <machine>")
