import os
import queue
import socket
import threading
from typing import Any

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


@pytest.mark.parametrize(
    "line",
    [b"status", b"", b"[]", b"7", b"null", b'"reload"', b"\xff\x00", b"[" * 50_000, b'{"say":'],
    ids=["word", "empty", "list", "number", "null", "text", "bytes", "deep", "half"],
)
def test_what_is_no_message_says_nothing_and_the_next_one_is_heard(
    ends: tuple[Line, Line], line: bytes
) -> None:
    here, there = ends
    here.socket.sendall(line + b'\n{"say": "ready"}\n')

    heard: list[dict[str, str]] = []
    while len(heard) < 2:
        heard += there.receive() or []

    assert heard == [{}, {"say": "ready"}]
    here.close()
    there.close()


def test_whoever_sends_more_than_a_message_without_a_line_break_is_heard_no_more() -> None:
    ours, theirs = socket.socketpair()
    there = Line(theirs, longest=10)
    ours.sendall(b"1234567890")
    assert there.receive() == []
    ours.sendall(b"1")
    assert there.receive() is None
    ours.close()
    there.close()


def test_nothing_to_hear_is_not_the_end_of_the_line(ends: tuple[Line, Line]) -> None:
    here, there = ends
    there.socket.settimeout(0)
    assert there.receive() == []
    here.close()
    assert there.receive() is None
    there.close()


def test_of_a_long_failure_the_end_is_told_where_python_says_what_it_is(
    ends: tuple[Line, Line],
) -> None:
    here, there = ends
    here.broken(Failure("s" * 100_000, "r" * 100_000 + "ValueError"))

    heard: list[dict[str, str]] = []
    while not heard:
        heard += there.receive() or []

    assert len(heard[0]["summary"]) < 5000
    assert heard[0]["report"].endswith("rValueError")
    assert len(heard[0]["report"]) < 70_000
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


def test_no_order_is_lost_that_comes_as_somebody_begins_to_listen(
    ends: tuple[Line, Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = ends
    child = ReloadedChild(there, ())
    obeyed: list[str] = []
    listener = threading.Thread(target=lambda: child.obey(lambda order, _: obeyed.append(order)))

    class Waiting(queue.SimpleQueue[Any]):
        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            # The reader has seen that nobody listens. Who begins to listen now is done before it goes on, or has to wait for it.
            listener.start()
            listener.join(0.2)
            super().put(item)

    monkeypatch.setattr(child, "_waiting", Waiting())
    here.send("stop")

    until(lambda: obeyed == ["stop"])
    listener.join(PATIENCE)
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
