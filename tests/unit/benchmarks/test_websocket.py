import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from harness.checker import WrongAnswerError
from harness.generator import GeneratorError
from harness.websocket import ACCEPTED, MESSAGE, greet, read

from tests.waiting import PATIENCE

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + ACCEPTED + b"\r\n\r\n"


def test_a_report_is_read() -> None:
    report = read("messages 2000 seconds 0.500000 p50 1.5 p99 3.25 errors 1\n", load=0.5)

    assert (report.requests, report.rate, report.load, report.seconds) == (2000, 4000.0, 0.5, 0.5)
    assert (report.p50, report.p99, report.errors) == (1.5, 3.25, 1)


def test_a_report_without_figures_is_refused() -> None:
    with pytest.raises(GeneratorError, match="not every client"):
        read("not every client gets the messages: refused\n", 0.0)


@contextmanager
def answering(head: bytes, message: bytes) -> Iterator[socket.socket]:
    """A connection to a server that says this, whatever it is asked."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        # A client that has seen enough goes.
        with theirs, suppress(ConnectionError):
            theirs.recv(65536)
            theirs.sendall(head)
            if message:
                theirs.recv(65536)
                theirs.sendall(message)

    thread = threading.Thread(target=serve)
    thread.start()
    ours.settimeout(PATIENCE)
    with ours:
        yield ours
    thread.join()


def test_a_message_that_comes_back_passes() -> None:
    with answering(HEAD, b"\x81\x40" + MESSAGE) as connection:
        greet([connection])


@pytest.mark.parametrize(
    ("head", "message", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", b"", "404"),
        (HEAD.replace(ACCEPTED, b"x" * 28), b"", "handshake"),
        (HEAD, b"\x82\x40" + MESSAGE, "message"),
        (HEAD, b"\x81\x40" + MESSAGE[::-1], "message"),
        (HEAD, b"\x81\x40" + MESSAGE[:-1], "ended"),
        (HEAD[:-2], b"", "ended"),
    ],
)
def test_anything_else_is_refused(head: bytes, message: bytes, why: str) -> None:
    with answering(head, message) as connection:
        with pytest.raises(WrongAnswerError, match=why):
            greet([connection])
