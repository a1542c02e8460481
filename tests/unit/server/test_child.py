import os
import socket
import threading

import pytest

from kingpost.server.child import ENVIRONMENT, Failure, Line, ReloadedChild
from tests.waiting import PATIENCE, until


@pytest.fixture
def ends() -> tuple[Line, Line]:
    ours, theirs = socket.socketpair()
    return Line(ours), Line(theirs)


def test_a_message_arrives_as_it_was_sent(ends: tuple[Line, Line]) -> None:
    here, there = ends

    here.send("broken", summary="line\nbreak and ünïcode")

    assert there.receive() == [{"say": "broken", "summary": "line\nbreak and ünïcode"}]
    here.close()
    there.close()


def test_a_message_in_pieces_is_put_together(ends: tuple[Line, Line]) -> None:
    here, there = ends
    here.socket.sendall(b'{"say": "re')
    assert there.receive() == []
    here.socket.sendall(b'ady"}\n{"say": "x"}\n')

    assert there.receive() == [{"say": "ready"}, {"say": "x"}]
    here.close()
    there.close()


def test_the_end_of_the_line_is_told(ends: tuple[Line, Line]) -> None:
    here, there = ends
    here.close()

    assert there.receive() is None
    assert there.send("ready") is False
    there.close()


def test_a_process_that_nobody_supervises_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)

    assert ReloadedChild.from_environment() is None


def test_the_sockets_come_by_the_environment_which_then_forgets_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = socket.socketpair()
    monkeypatch.setenv(ENVIRONMENT, f"{theirs.detach()},7,8")

    child = ReloadedChild.from_environment()

    assert child is not None
    assert child.listening == (7, 8)
    assert ENVIRONMENT not in os.environ
    child.ready()
    assert Line(ours).receive() == [{"say": "ready"}]
    ours.close()
    assert child.wait_for_order() == "stop"
    child.close()


def test_a_supervisor_that_is_gone_means_stop(ends: tuple[Line, Line]) -> None:
    here, there = ends
    child = ReloadedChild(there, ())

    here.close()

    assert child.wait_for_order() == "stop"
    child.close()


def test_orders_that_came_before_anybody_obeyed_are_not_lost(ends: tuple[Line, Line]) -> None:
    here, there = ends
    child = ReloadedChild(there, ())
    obeyed: list[str] = []
    here.send("stop")
    until(lambda: not child._waiting.empty())

    child.obey(lambda order, _: obeyed.append(order))

    assert obeyed == ["stop"]
    here.close()
    child.close()


def test_an_order_carries_the_failure_that_it_is_about(ends: tuple[Line, Line]) -> None:
    here, there = ends
    child = ReloadedChild(there, ())
    told = threading.Event()
    heard: list[tuple[str, Failure]] = []

    def obey(order: str, failure: Failure) -> None:
        heard.append((order, failure))
        told.set()

    child.obey(obey)
    here.send("notice", summary="SyntaxError", report="Traceback")

    assert told.wait(PATIENCE)
    assert heard == [("notice", Failure("SyntaxError", "Traceback"))]
    child.obey(None)
    here.close()
    child.close()
