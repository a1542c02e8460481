"""What systemd hands over, and what it hears."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from kingpost.server.systemd import Notifier, handed_over

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs Unix sockets")


@pytest.mark.parametrize(
    ("pid", "count", "found"),
    [
        ("ours", "2", (3, 4)),
        ("ours", "0", ()),
        ("ours", "two", ()),
        ("ours", "", ()),
        ("1", "2", ()),
        ("", "2", ()),
    ],
)
def test_sockets_are_taken_where_they_are_meant_for_this_process(
    pid: str, count: str, found: tuple[int, ...]
) -> None:
    environment = {
        "LISTEN_PID": str(os.getpid()) if pid == "ours" else pid,
        "LISTEN_FDS": count,
        "LISTEN_FDNAMES": "a:b",
        "PATH": "/bin",
    }

    assert handed_over(environment) == found

    # What the program starts itself is not meant.
    assert environment == {"PATH": "/bin"}


def test_outside_of_systemd_nothing_is_said() -> None:
    notifier = Notifier({})
    notifier.ready("serving")
    notifier.alive()
    assert (notifier.every, notifier.descriptors) == (None, [])


def test_a_socket_that_is_gone_is_no_reason_to_fail(tmp_path: Path) -> None:
    path = str(tmp_path / "notify.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(path)
        notifier = Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000"})
        notifier.stopping()
        assert heard.recv(100) == b"STOPPING=1"
    notifier.alive()
    assert notifier.every == 1.5
    notifier.close()
    notifier.alive()
    assert Notifier({"NOTIFY_SOCKET": path + "2", "WATCHDOG_USEC": "3000000"}).every is None


@pytest.mark.parametrize("pid", ["1", "x"])
def test_signs_of_life_are_for_the_process_that_they_are_asked_of(tmp_path: Path, pid: str) -> None:
    path = str(tmp_path / "notify.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(path)
        variables = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": pid}
        notifier = Notifier(variables)
        assert notifier.every is None
        notifier.close()


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="abstract names are Linux's")
def test_the_socket_may_have_an_abstract_name() -> None:
    name = f"kingpost-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0" + name)
        notifier = Notifier({"NOTIFY_SOCKET": "@" + name})
        notifier.alive()
        notifier.close()
        assert heard.recv(100) == b"WATCHDOG=1"
