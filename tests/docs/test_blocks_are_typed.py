"""The programs of the pages, what they type at the prompt, and the examples, pass mypy --strict and pyright strict."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, ROOT, blocks_of, files_before
from tests.docs.prompts import imports_for, typed_at
from tests.docs.reader import is_new
from tests.docs.test_pages import REFERENCE

State = dict[str, str]
"""The files that stand beside each other at one point of a page."""


def states_of(page: Path) -> list[State]:
    """What there is to check on a page: its files as they are before one is changed, and its other programs.

    What is typed at the prompt is one program of the page; in the reference, where each prompt stands for itself, one each.
    """
    states: list[State] = prompts_of(page)
    files = {title: text for title, text in files_before(page).items() if title.endswith(".py")}
    program = ""
    for block in blocks_of(page):
        if block.language != "python" or "refused" in block.attributes:
            continue
        title = block.attributes.get("title")
        if title is None:
            if is_new(block) and program:
                states.append({"program.py": program})
                program = ""
            program += block.text + "\n\n"
        elif title in files:
            states.append(files)
            files = {**files, title: block.text}
        else:
            files = {**files, title: block.text}
    return [state for state in (*states, files, {"program.py": program}) if any(state.values())]


def prompts_of(page: Path) -> list[State]:
    typed = [typed_at(block.text) for block in blocks_of(page) if block.language == "pycon"]
    if page.name != "names.md":
        typed = ["".join(typed)]
    else:
        typed = [imports_for(program, REFERENCE) + program for program in typed]
    return [{"prompt.py": program} for program in typed]


def test_a_prompt_is_a_program_that_goes_on() -> None:
    prompt = """>>> total: int = 3
    >>> total
    3
    >>> raise ValueError("none")
    Traceback (most recent call last):
    ValueError: none
    >>> total.bit_length()
    2
    """

    assert typed_at(prompt) == (
        "total: int = 3\nprint(total)\nprint(ValueError('none'))\ntotal.bit_length()\n"
    )


def test_the_reference_brings_what_a_prompt_does_not_make() -> None:
    program = "password = Secret('x')\nprint(password)\n"

    assert imports_for(program, REFERENCE) == "from kingpost.settings import Secret\n"
    assert states_of(ROOT / "docs/reference/names.md")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blocks")
    for page in PAGES:
        name = "_".join(page.relative_to(ROOT).with_suffix("").parts).replace("-", "_").lower()
        for number, state in enumerate(states_of(page)):
            for title, text in state.items():
                file = folder / f"{name}_{number}" / title
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    for example in (ROOT / "examples").iterdir():
        if example.joinpath("manage.py").exists():
            # A project of Django's, which brings no types.
            continue
        shutil.copytree(
            example, folder / example.name, ignore=shutil.ignore_patterns("*.db", "__*")
        )
    # mypy takes two files of one name for one where both are as long and as old.
    for number, file in enumerate(sorted(folder.rglob("*.py"))):
        os.utime(file, (number, number))
    return folder


def test_they_pass_mypy(collected: Path, tmp_path: Path) -> None:
    alone = [folder for folder in collected.iterdir() if len(list(folder.rglob("*.py"))) == 1]
    renamed = tmp_path / "alone"
    renamed.mkdir()
    for folder in alone:
        [file] = folder.rglob("*.py")
        (renamed / f"{folder.name}.py").write_text(file.read_text("utf-8"), encoding="utf-8")
    said = mypy(renamed, tmp_path)
    for folder in sorted(set(collected.iterdir()) - set(alone)):
        said += mypy(folder, tmp_path)
    assert said == ""


def mypy(folder: Path, cache: Path) -> str:
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--config-file=",
        ".",
    ]
    done = subprocess.run(  # noqa: S603 - our own checkers
        [*command, f"--cache-dir={cache / 'mypy'}"],
        cwd=folder,
        env={"MYPYPATH": str(ROOT / "python"), "PATH": str(Path(sys.executable).parent)},
        check=False,
        capture_output=True,
        text=True,
    )
    return "".join(f"{folder.name}/{line}\n" for line in (done.stdout + done.stderr).splitlines())


def test_they_pass_pyright(collected: Path) -> None:
    settings = {
        "typeCheckingMode": "strict",
        # What others publish without stubs is theirs to mend, and a page is no place for a remark about it.
        "reportMissingTypeStubs": False,
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT / "python")],
        "executionEnvironments": [
            {"root": folder.name, "extraPaths": [str(ROOT / "python")]}
            for folder in sorted(collected.iterdir())
            if folder.is_dir()
        ],
    }
    (collected / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own checkers
        [
            sys.executable,
            "-m",
            "pyright",
            "--pythonpath",
            sys.executable,
            "-p",
            str(collected),
            "--outputjson",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    said = [
        f"{Path(each['file']).relative_to(collected)}:{each['range']['start']['line'] + 1} {each['message']}"
        for each in json.loads(done.stdout)["generalDiagnostics"]
        if each["severity"] != "information"
    ]
    assert said == []
