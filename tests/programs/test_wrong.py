"""Wrong programs are refused, by the checkers or at start-up, with the words that stand in their first line."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from kingpost import App
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError

FOLDER = Path(__file__).parent / "wrong"
ROOT = FOLDER.parents[2]
FIRST_LINE = re.compile(r"# refused (by mypy|at start-up): (.+)")


class Wrong(NamedTuple):
    """A wrong program and the words of its refusal."""

    file: Path
    by: str
    words: str


def programs(by: str) -> list[Wrong]:
    found: list[Wrong] = []
    for file in sorted(FOLDER.glob("*.py")):
        line = file.read_text(encoding="utf-8").partition("\n")[0]
        match = FIRST_LINE.fullmatch(line)
        assert match is not None, f"{file.name} does not begin with its refusal"
        if match[1] == by:
            found.append(Wrong(file, by, match[2]))
    return found


BY_CHECKERS, AT_START = programs("by mypy"), programs("at start-up")


def said_of_files(*command: str) -> dict[str, str]:
    """What a checker says, by the name of the file; asked once for all, for it is slow to start."""
    done = subprocess.run(  # noqa: S603 - our own tools
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    said: dict[str, str] = {}
    for line in done.stdout.splitlines():
        name = re.match(r"\s*(\S+\.py):\d+.* error", line)
        if name is not None:
            said[Path(name[1]).name] = said.get(Path(name[1]).name, "") + line + "\n"
    return said


@pytest.fixture(scope="module")
def mypy() -> dict[str, str]:
    files = [str(wrong.file) for wrong in BY_CHECKERS]
    return said_of_files("mypy", "--strict", "--no-error-summary", *files)


@pytest.fixture(scope="module")
def pyright(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    # A copy: the project's own configuration leaves the folder out.
    project = tmp_path_factory.mktemp("pyright")
    for wrong in BY_CHECKERS:
        shutil.copy(wrong.file, project)
    settings = {
        "extraPaths": [str(ROOT / "python")],
        "pythonVersion": "3.11",
        "typeCheckingMode": "strict",
    }
    (project / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    return said_of_files("pyright", "--pythonpath", sys.executable, "-p", str(project))


def test_there_are_at_least_forty() -> None:
    assert len(BY_CHECKERS) + len(AT_START) >= 40


@pytest.mark.parametrize("wrong", BY_CHECKERS, ids=lambda wrong: wrong.file.stem)
def test_the_checkers_refuse(wrong: Wrong, mypy: dict[str, str], pyright: dict[str, str]) -> None:
    assert wrong.words in mypy.get(wrong.file.name, "")
    assert wrong.file.name in pyright


@pytest.mark.parametrize("wrong", AT_START, ids=lambda wrong: wrong.file.stem)
def test_the_start_is_refused(wrong: Wrong) -> None:
    code, _, words = wrong.words.partition(": ")

    with pytest.raises(ConfigurationError) as refused:
        start(wrong.file)

    assert refused.value.code == code
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    # What is wrong with settings stands in the environment.
    [wrong for wrong in AT_START if not wrong.words.startswith("settings.")],
    ids=lambda wrong: wrong.file.stem,
)
def test_a_refusal_names_the_line_of_the_program(wrong: Wrong) -> None:
    with pytest.raises(ConfigurationError) as refused:
        start(wrong.file)

    assert re.search(rf"{wrong.file.name}:\d+", str(refused.value))


def start(file: Path) -> None:
    app = runpy.run_path(str(file))["app"]
    assert isinstance(app, App)
    compile_app(app, mode="test")
