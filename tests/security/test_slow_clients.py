"""Clients that take their time, on purpose: each is dropped when its time is over, and the others do not notice."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from kingpost import App, BodyStream, Request
from tests.security.rig import (
    SHELLS,
    Driver,
    Rig,
    is_ended,
    read_all,
    read_answers,
    serving,
)
from tests.waiting import PATIENCE, until

HOST = b"Host: a\r\n"
TIMES = {
    "head_timeout": 300,
    "idle_timeout": 300,
    "body_timeout": 300,
    "write_timeout": 400,
    "linger_timeout": 200,
}


def make_app() -> App:
    app = App()

    @app.get("/")
    async def home() -> str:
        return "here"

    @app.get("/large")
    async def large() -> bytes:
        return b"x" * 20_000_000

    @app.get("/endless")
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000

    @app.get("/endless-def")
    def endless_def() -> Iterator[bytes]:
        while True:
            yield b"x" * 100_000

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(request.body)

    @app.post("/stream")
    async def stream(body: BodyStream) -> int:
        total = 0
        async for chunk in body:
            total += len(chunk)
        return total

    @app.post("/stream-def")
    def stream_def(body: BodyStream) -> int:
        return sum(map(len, body))

    return app


@pytest.fixture(scope="module", params=SHELLS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    driver: Driver = request.param
    with serving(make_app(), driver=driver, limits=TIMES) as rig:
        yield rig
        rig.until_idle()


def drip(connection: socket.socket, data: bytes, pause: float = 0.05) -> bool:
    """Sends one byte after another until the server has had enough; whether it had, before all were sent."""
    connection.settimeout(pause)
    try:
        for byte in data:
            connection.sendall(bytes([byte]))
            # An answer, or the end.
            with contextlib.suppress(TimeoutError):
                connection.recv(1, socket.MSG_PEEK)
                return True
    except ConnectionError:
        return True
    finally:
        connection.settimeout(PATIENCE)
    return False


def test_who_says_nothing_is_dropped_without_an_answer(rig: Rig) -> None:
    start = time.monotonic()
    with rig.connect() as connection:
        assert read_all(connection) == b""
    assert time.monotonic() - start > 0.2


def test_an_idle_connection_is_dropped(rig: Rig) -> None:
    with rig.connect() as connection:
        start = time.monotonic()
        connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        (answer,) = read_answers(read_all(connection))
    assert answer.body == b"here"
    assert time.monotonic() - start > 0.2


@pytest.mark.parametrize(
    "data",
    [
        b"GET /" + b"a" * 100,
        b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"a" * 100,
        b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 20,
        b"\r\n" * 2 + b"GET / HTTP/1.1\r\n" + b"a" * 100,
    ],
)
def test_a_head_that_drips_is_refused(rig: Rig, data: bytes) -> None:
    with rig.connect() as connection:
        assert drip(connection, data)
        (answer,) = read_answers(read_all(connection))
    assert (answer.status, answer.code) == (408, "http.head-timeout")


@pytest.mark.parametrize("path", [b"/body", b"/stream", b"/stream-def"])
@pytest.mark.parametrize("framing", [b"content-length: 900", b"transfer-encoding: chunked"])
def test_a_body_that_drips_or_stops_is_refused(rig: Rig, path: bytes, framing: bytes) -> None:
    head = b"POST %s HTTP/1.1\r\nhost: a\r\n%s\r\n\r\n" % (path, framing)
    for body in (b"", b"1\r\na\r\n" * 50):
        with rig.connect() as connection:
            connection.sendall(head)
            assert drip(connection, body) or not body
            (answer,) = read_answers(read_all(connection))
            assert (answer.status, answer.code) == (408, "http.body-timeout"), body


@pytest.mark.parametrize("path", [b"/large", b"/endless", b"/endless-def"])
def test_who_does_not_read_is_dropped(rig: Rig, path: bytes) -> None:
    with rig.connect() as connection:
        start = time.monotonic()
        connection.sendall(b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n" % path)
        # It is being answered.
        assert connection.recv(1) == b"H"
        until(lambda: not rig.server.connections)
        assert time.monotonic() - start > 0.3
    rig.until_idle()


def test_who_is_refused_and_goes_on_sending_is_dropped(rig: Rig) -> None:
    def go_on(connection: socket.socket) -> None:
        for _ in range(500):
            connection.send(b"x" * 100)
            time.sleep(0.02)

    with rig.connect() as connection:
        connection.sendall(b"BAD\x00REQUEST\r\n\r\n")
        with pytest.raises(ConnectionError):
            go_on(connection)


def test_others_are_served_meanwhile(rig: Rig) -> None:
    slow = [rig.connect() for _ in range(150)]
    try:
        for number, connection in enumerate(slow):
            connection.sendall(
                (
                    b"GET / HT",
                    b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n",
                    b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n",
                )[number % 3]
            )
        for _ in range(50):
            assert rig.get("/").status == 200
        for number, connection in enumerate(slow):
            if number % 3 < 2:
                assert is_ended(connection)
    finally:
        for connection in slow:
            connection.close()


def test_a_slow_reader_that_reads_gets_everything() -> None:
    def read_slowly(rig: Rig) -> bool:
        with rig.connect() as connection:
            connection.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            data = bytearray()
            start = time.monotonic()
            with contextlib.suppress(ConnectionError):
                while piece := connection.recv(400_000):
                    data += piece
                    time.sleep(0.02)
        assert time.monotonic() - start > 0.5
        return data.endswith(b"x") and len(data) > 20_000_000

    with serving(make_app(), limits={"write_timeout": 500}) as rig:
        # More than once: a machine that is held up reads nothing for so long itself.
        assert any(read_slowly(rig) for _ in range(10))
