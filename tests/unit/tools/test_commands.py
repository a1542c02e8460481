"""The commands of `./dev`, as far as they can be judged without setting up a machine."""

import os
import subprocess
from pathlib import Path

import pytest

from tools import assets, checks, environment, extension, stamps, suites
from tools.__main__ import EVERYTHING, main
from tools.console import ROOT, Failure


def test_the_script_finds_a_python_and_says_what_there_is() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [ROOT / "dev"], capture_output=True, text=True, check=True
    )

    for command in ("demo", "test", "check", "bench", "docs"):
        assert f"\n  {command} " in done.stdout


def test_an_unknown_command_is_answered_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2
    assert capsys.readouterr().err.startswith("usage: ./dev COMMAND")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--help"], 0, "usage: ./dev wheels [TARGET ...]"),
        (["sparc-sun-solaris"], 1, "dev: no such target: sparc-sun-solaris"),
    ],
)
def test_wheels_sets_nothing_up_before_it_knows_what_to_build(
    arguments: list[str],
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment, "prepare", lambda *groups: pytest.fail(f"installs {groups}"))

    assert main(["wheels", *arguments]) == status

    assert said in "".join(capsys.readouterr())


def test_the_demo_says_what_cannot_be_fetched_before_it_builds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise Failure("npm cannot fetch x")

    monkeypatch.setattr(environment, "prepare", lambda *groups: Path("python"))
    monkeypatch.setattr(assets, "prepare", fail)
    monkeypatch.setattr(extension, "prepare", lambda python: pytest.fail("builds"))

    assert main(["demo"]) == 1
    assert capsys.readouterr().err == "dev: npm cannot fetch x\n"


def test_a_python_that_is_too_old_or_missing_is_named() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [ROOT / "dev"],
        env={"KINGPOST_PYTHON": "/nowhere/python", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "KINGPOST_PYTHON is '/nowhere/python'" in done.stderr


def test_an_interpreter_of_its_own_has_an_environment_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KINGPOST_PYTHON", raising=False)
    assert environment.folder() == ROOT / ".venv"

    monkeypatch.setenv("KINGPOST_PYTHON", "python3")
    assert environment.folder().name.startswith(".venv-3.")


def test_every_requirement_has_a_lower_bound() -> None:
    for line in environment.requirements(*EVERYTHING, "wheels"):
        assert ">=" in line


def test_a_stamp_is_fresh_until_a_file_changes(tmp_path: Path) -> None:
    stamp = tmp_path / "stamps" / "built"
    value = stamps.digest([ROOT / "Cargo.toml"], "a word")
    assert not stamps.is_fresh(stamp, value)

    stamps.write(stamp, value)

    assert stamps.is_fresh(stamp, value)
    assert not stamps.is_fresh(stamp, stamps.digest([ROOT / "dev"], "a word"))
    assert not stamps.is_fresh(stamp, stamps.digest([ROOT / "Cargo.toml"], "another"))


def test_a_check_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Failure, match="no check has frobnicate"):
        checks.run_all(Path("python"), ["frobnicate"])


@pytest.mark.parametrize(
    ("arguments", "given", "is_long"),
    [
        (["-k", "router"], ["-m", "not long", "-k", "router"], False),
        (["--long", "-x"], ["-x"], True),
    ],
)
def test_the_long_tests_are_long_in_every_part(
    arguments: list[str], given: list[str], is_long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, ...]] = []
    fuzzed: list[bool] = []
    # Set, so that it is taken back.
    monkeypatch.setenv("KINGPOST_LONG", "")
    monkeypatch.setattr(suites, "run", lambda *command: None)
    monkeypatch.setattr(suites.fuzzing, "run_all", lambda: fuzzed.append(True))
    monkeypatch.setattr(suites, "attempt", lambda *command: called.append(command) or 0)

    assert suites.test(Path("python"), arguments) == 0

    assert called == [(Path("python"), "-m", "pytest", *given)]
    assert (bool(fuzzed), bool(os.environ["KINGPOST_LONG"])) == (is_long, is_long)
