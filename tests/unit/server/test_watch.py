import importlib.util
import os
from pathlib import Path

import pytest

from kingpost.server.watch import Watcher, forget_bytecode


def test_nothing_is_reported_while_nothing_changes(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("1")
    watcher = Watcher([tmp_path])

    assert watcher.changed() == []
    assert watcher.changed() == []


@pytest.mark.parametrize(
    "name",
    [
        "app.py",
        "templates/page.html",
        "style.css",
        "find.sql",
        "pyproject.toml",
        ".env",
        ".env.local",
        "prod.env",
    ],
)
def test_a_new_file_is_reported_once(tmp_path: Path, name: str) -> None:
    watcher = Watcher([tmp_path])
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("1")

    assert watcher.changed() == [file]
    assert watcher.changed() == []


def test_a_changed_and_a_removed_file_are_reported(tmp_path: Path) -> None:
    changed, removed = tmp_path / "a.py", tmp_path / "b.py"
    changed.write_text("1")
    removed.write_text("1")
    watcher = Watcher([tmp_path])

    changed.write_text("22")
    removed.unlink()

    assert watcher.changed() == [changed, removed]


def test_a_file_replaced_by_one_of_equal_size_and_time_is_reported(tmp_path: Path) -> None:
    file, other = tmp_path / "a.py", tmp_path / "a.py.new"
    file.write_text("1")
    watcher = Watcher([tmp_path])
    other.write_text("2")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.replace(file)

    assert watcher.changed() == [file]


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "data.json",
        "data.csv",
        "__pycache__/app.cpython-311.py",
        ".git/hook.py",
        "node_modules/x/y.html",
        "env/lib/site-packages/z.py",
    ],
)
def test_what_is_not_the_projects_source_is_not_watched(tmp_path: Path, name: str) -> None:
    watcher = Watcher([tmp_path])
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("1")

    assert watcher.changed() == []


def test_a_virtual_environment_is_not_entered_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "pyvenv.cfg").touch()
    watcher = Watcher([tmp_path])
    (tmp_path / "python" / "x.py").touch()

    assert watcher.changed() == []


def test_a_folder_that_is_linked_to_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "a.py").touch()

    assert Watcher([tmp_path]).changed() == []


def test_a_folder_that_does_not_exist_has_no_files(tmp_path: Path) -> None:
    assert Watcher([tmp_path / "no"]).changed() == []


def test_the_bytecode_of_a_changed_source_is_forgotten(tmp_path: Path) -> None:
    source = tmp_path / "app.py"
    cached = Path(importlib.util.cache_from_source(str(source)))
    cached.parent.mkdir()
    cached.write_bytes(b"old")

    forget_bytecode([source, tmp_path / "page.html", tmp_path / "never_compiled.py"])

    assert not cached.exists()
