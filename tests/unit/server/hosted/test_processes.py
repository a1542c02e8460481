"""Whether a host has several processes, and what is said of it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from kingpost.http import counting
from kingpost.server.hosted.processes import several, siblings, warn_of_others

PARENT = os.getppid()
SPAWNED = b"python\0-c\0from multiprocessing.spawn import spawn_main; spawn_main(pipe_handle=%d)\0"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WEB_CONCURRENCY", "GRANIAN_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("kingpost.server.hosted.processes.siblings", lambda proc: 0)


def system(folder: Path, parent: bytes, own: bytes, others: dict[int, bytes]) -> Path:
    """A /proc with us, our parent and its other children."""
    programs: list[tuple[object, bytes]] = [("self", own), (PARENT, parent), *others.items()]
    for name, line in programs:
        (folder / str(name)).mkdir()
        (folder / str(name) / "cmdline").write_bytes(line)
    tasks = folder / f"{PARENT}/task/{PARENT}"
    tasks.mkdir(parents=True)
    (tasks / "children").write_text(" ".join(map(str, (os.getpid(), *others))))
    return folder


def test_spawned_siblings_are_others_that_run_the_same(tmp_path: Path) -> None:
    others = {999_991: SPAWNED % 9, 999_992: b"python\0-c\0resource_tracker\0"}

    assert siblings(system(tmp_path, b"uvicorn\0", SPAWNED % 7, others)) == 1


def test_copies_of_their_parent_are_siblings(tmp_path: Path) -> None:
    line = b"gunicorn\0app\0"

    assert siblings(system(tmp_path, line, line, {999_991: line, 999_992: line})) == 2


def test_what_a_shell_has_started_twice_is_none_of_ours(tmp_path: Path) -> None:
    line = b"uvicorn\0app\0"

    assert siblings(system(tmp_path, b"bash\0", line, {999_991: line})) == 0


def test_where_the_system_does_not_tell_nobody_is_seen(tmp_path: Path) -> None:
    assert siblings(tmp_path) == 0


@pytest.mark.parametrize(
    ("value", "says"),
    [("2", "WEB_CONCURRENCY=2"), ("1", ""), ("", ""), ("many", ""), ("\u0662", "")],
)
def test_the_variable_that_hosts_obey(
    monkeypatch: pytest.MonkeyPatch, value: str, says: str
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", value)

    assert several() == says


def test_what_a_host_of_wsgi_says() -> None:
    assert (several(True), several(False)) == ("wsgi.multiprocess", "")


def test_the_warning_names_what_is_kept_and_comes_only_where_something_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(counting, "_kept", set())
    caplog.set_level(logging.WARNING)
    warn_of_others(True)
    assert caplog.text == ""

    counting.keep_here("RateLimit")
    warn_of_others(False)
    assert caplog.text == ""
    warn_of_others(True)

    assert "wsgi.multiprocess: RateLimit is in the memory of each process" in caplog.text
