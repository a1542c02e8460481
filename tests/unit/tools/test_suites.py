"""How the tests of a change are run where nobody watches."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import suites

FAILING = "def test_it() -> None:\n    assert False\n"
# It fails where it runs for the first time.
FLAKY = """
from pathlib import Path

def test_it() -> None:
    mark = Path(__file__).with_suffix(".ran")
    known = mark.exists()
    mark.touch()
    assert known
"""
PASSING = "def test_it() -> None:\n    pass\n"


def run(folder: Path, **sources: str) -> int:
    for name, source in sources.items():
        (folder / f"test_{name}.py").write_text(source, encoding="utf-8")
    arguments = ("-q", "-c", "/dev/null", "--rootdir", str(folder), str(folder))
    return suites._pytest_unattended(Path(sys.executable), *arguments, cache=folder / "cache")


def test_what_passes_the_second_time_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, flaky=FLAKY, good=PASSING) == 0

    printed = capfd.readouterr().out
    assert "1 failed, 1 passed" in printed
    assert "dev: FLAKY, to be mended: test_flaky.py::test_it" in printed


def test_what_fails_twice_has_failed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, flaky=FLAKY, broken=FAILING) == 1

    printed = capfd.readouterr().out
    assert "2 failed" in printed
    assert "1 failed, 1 passed" in printed
    assert "FLAKY" not in printed


def test_many_failures_are_no_accident(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    several = {f"flaky_{number}": FLAKY for number in range(suites.MOST_AGAIN + 1)}

    assert run(tmp_path, **several) == 1

    assert "once more" not in capfd.readouterr().out


def test_what_does_not_import_fails(tmp_path: Path) -> None:
    assert run(tmp_path, broken="import nothing_of_this_name\n", good=PASSING) == 2


def test_nothing_is_run_again_where_all_is_well(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, good=PASSING) == 0

    assert "once more" not in capfd.readouterr().out


@pytest.mark.parametrize("watched", [True, False])
def test_it_is_for_where_nobody_watches(watched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setenv("KINGPOST_SKIP_CRATES", "1")
    monkeypatch.setenv("CI", "" if watched else "true")
    monkeypatch.setattr(suites, "_pytest", lambda *command: called.append("once") or 0)
    monkeypatch.setattr(suites, "_pytest_unattended", lambda *command: called.append("again") or 0)

    assert suites.test(Path("python"), []) == 0

    assert called == ["once" if watched else "again"]
