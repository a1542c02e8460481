"""Those who connect to the control socket."""

from __future__ import annotations

import json
import selectors
import socket
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from kingpost.server.askers import Asker, Askers
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")


class Rig:
    """A control socket whose time the test sets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1000.0
        self.asked: list[Asker] = []
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(str(path))
        self.listening.listen()
        self.listening.settimeout(0)
        self.selector = selectors.DefaultSelector()
        self.askers = Askers(self.listening, self.selector, self.asked.append, lambda: self.now)

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(str(self.path))
        self.hear()
        return connection

    def hear(self) -> None:
        """Does all that there is to do."""
        while events := self.selector.select(0):
            for key, _ in events:
                hear: Callable[[], None] = key.data
                hear()

    def open(self) -> int:
        """How many connections are open."""
        return len(self.selector.get_map()) - 1


@pytest.fixture
def rig(tmp_path: Path) -> Generator[Rig]:
    made = Rig(tmp_path / "c.sock")
    yield made
    made.askers.close()
    made.selector.close()
    made.listening.close()


def test_a_question_is_answered_once_and_that_is_all(rig: Rig) -> None:
    with rig.connect() as connection:
        connection.sendall(b'{"say": "reload"}\n{"say": "reload"}\n')
        rig.hear()
        (asker,) = rig.asked
        asker.answer("done", text="reloaded")
        assert json.loads(connection.recv(4096)) == {"say": "done", "text": "reloaded"}
        assert connection.recv(4096) == b""
    assert rig.open() == 0


@pytest.mark.parametrize("data", [b"status\n", b"[]\n", b'{"say": "dance"}\n', b"\n", b"\xff\n"])
def test_what_is_not_understood_is_answered(rig: Rig, data: bytes) -> None:
    with rig.connect() as connection:
        connection.sendall(data)
        rig.hear()
        assert json.loads(connection.recv(4096))["summary"] == (
            "this service does not know that order"
        )
    assert rig.asked == []
    assert rig.open() == 0


def test_what_has_no_end_is_not_kept(rig: Rig) -> None:
    with rig.connect() as connection:
        connection.sendall(b"x" * 4097)
        rig.hear()
        assert rig.open() == 0


def test_who_says_nothing_is_waited_for_as_long_as_that_and_who_has_asked_for_ever(
    rig: Rig,
) -> None:
    with rig.connect() as silent, rig.connect() as asking:
        asking.sendall(b'{"say": "reload"}\n')
        silent.sendall(b'{"say": ')
        rig.hear()
        rig.now += 10
        rig.askers.end_silent()
        assert rig.open() == 2
        rig.now += 0.001
        rig.askers.end_silent()
        assert rig.open() == 1
        assert silent.recv(1) == b""
        rig.now += 10**6
        rig.askers.end_silent()
        rig.asked[0].answer("done")
        assert json.loads(asking.recv(4096)) == {"say": "done"}


def test_who_goes_away_is_forgotten_and_may_be_answered_all_the_same(rig: Rig) -> None:
    with rig.connect() as connection:
        connection.sendall(b'{"say": "reload"}\n')
        rig.hear()
    rig.hear()
    assert rig.open() == 0
    rig.asked[0].answer("done")


def test_so_many_may_ask_at_once_and_no_more(rig: Rig) -> None:
    connections = [rig.connect() for _ in range(65)]
    assert rig.open() == 64
    assert connections[-1].recv(1) == b""
    connections[0].close()
    rig.hear()
    connections.append(rig.connect())
    assert rig.open() == 64
    for connection in connections:
        connection.close()
