"""Page 1 of the tutorial needs nothing but Kingpost and its three dependencies."""

from __future__ import annotations

import importlib.util
import subprocess
import venv
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, Block, blocks_of
from tests.docs.reader import BROWSER, Reader

DEPENDENCIES = ("kingpost", "msgspec", "click", "uvloop")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A new environment, as `pip install kingpost` leaves it behind."""
    home = tmp_path / "environment"
    venv.create(home, symlinks=True)
    [packages] = home.glob("lib/python*/site-packages")
    for name in DEPENDENCIES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (packages / name).symlink_to(Path(spec.origin).parent)
    command = home / "bin" / "kingpost"
    command.write_text(
        f"#!{home / 'bin' / 'python'}\nfrom kingpost.cli import main\n\nmain()\n", encoding="utf-8"
    )
    command.chmod(0o755)
    return home / "bin"


def test_the_first_page_runs_with_the_hard_dependencies_alone(
    programs: Path, tmp_path: Path
) -> None:
    python = programs / "python"
    assert subprocess.run([python, "-c", "import pytest"], capture_output=True).returncode == 1  # noqa: S603, PLW1510 - our own interpreter; 1 is what it shall end with
    folder = tmp_path / "reader"
    folder.mkdir()
    with Reader(folder, programs=programs) as reader:
        for block in blocks_of(ROOT / "docs" / "tutorial" / "1-first-page.md"):
            reader.read(block)


PROGRAM = """
from kingpost import App
from kingpost.testing import TestClient

app = App()


@app.get("/")
def home() -> str:
    return "Hello, world!"


@app.get("/broken")
def broken() -> str:
    return str(1 / 0)


def test_of_the_reader() -> None:
    with TestClient(app) as client:
        assert client.get("/").text == "Hello, world!"


if __name__ == "__main__":
    test_of_the_reader()
"""


def test_the_test_client_and_the_traceback_page_need_no_more(
    programs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    (folder / "hello.py").write_text(PROGRAM, encoding="utf-8")
    subprocess.run([programs / "python", "hello.py"], cwd=folder, check=True)  # noqa: S603 - ourselves

    with Reader(folder, programs=programs) as reader:
        page = ROOT / "docs" / "tutorial" / "1-first-page.md"
        reader.serve("kingpost dev hello.py", "", Block(page, 1, "console", {}, ""))
        status, _, _, text = reader.ask("GET", "/broken", BROWSER, b"")

    assert status == 500
    assert "ZeroDivisionError" in text
    assert "return str(1 / 0)" in text
