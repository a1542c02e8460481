"""Clients that take their time, on purpose: each is dropped when its time is over, and the others do not notice."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from kingpost import App, BodyStream, Request
from tests.security.rig import (
    PATIENCE,
    SHELLS,
    Driver,
    Rig,
    is_ended,
    read_all,
    read_answers,
    serving,
    until,
)

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


def drip(connection: socket.socket, data: bytes, pause: float = 0.05) -> float:
    """Sends one byte after another until the server has had enough; returns how long that took."""
    start = time.monotonic()
    connection.settimeout(pause)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
            if not connection.recv(65536, socket.MSG_PEEK):
                break
            time.sleep(pause)
        except TimeoutError:
            continue
        except ConnectionError:
            break
        else:
            break
    connection.settimeout(PATIENCE)
    return time.monotonic() - start


def test_who_says_nothing_is_dropped_without_an_answer(rig: Rig) -> None:
    start = time.monotonic()
    with rig.connect() as connection:
        assert read_all(connection) == b""
    assert 0.2 < time.monotonic() - start < 1.5


def test_an_idle_connection_is_dropped(rig: Rig) -> None:
    with rig.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        start = time.monotonic()
        (answer,) = read_answers(read_all(connection))
    assert answer.body == b"here"
    assert 0.2 < time.monotonic() - start < 1.5


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
        took = drip(connection, data)
        (answer,) = read_answers(read_all(connection))
    assert (answer.status, answer.code) == (408, "http.head-timeout")
    assert took < 1.5


@pytest.mark.parametrize("path", [b"/body", b"/stream", b"/stream-def"])
@pytest.mark.parametrize("framing", [b"content-length: 900", b"transfer-encoding: chunked"])
def test_a_body_that_drips_or_stops_is_refused(rig: Rig, path: bytes, framing: bytes) -> None:
    head = b"POST %s HTTP/1.1\r\nhost: a\r\n%s\r\n\r\n" % (path, framing)
    for body in (b"", b"1\r\na\r\n" * 50):
        with rig.connect() as connection:
            connection.sendall(head)
            start = time.monotonic()
            drip(connection, body)
            (answer,) = read_answers(read_all(connection))
            assert (answer.status, answer.code) == (408, "http.body-timeout"), body
            assert time.monotonic() - start < 2


@pytest.mark.parametrize("path", [b"/large", b"/endless", b"/endless-def"])
def test_who_does_not_read_is_dropped(rig: Rig, path: bytes) -> None:
    with rig.connect() as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n" % path)
        start = time.monotonic()
        until(lambda: rig.server.connections)
        until(lambda: not rig.server.connections, 5)
        assert time.monotonic() - start > 0.3
    rig.until_idle()


def test_who_is_refused_and_goes_on_sending_is_dropped(rig: Rig) -> None:
    with rig.connect() as connection:
        connection.sendall(b"BAD\x00REQUEST\r\n\r\n")
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - start < 5:
                connection.send(b"x" * 100)
                time.sleep(0.02)
    assert time.monotonic() - start < 2


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
        times = []
        for _ in range(50):
            start = time.monotonic()
            assert rig.get("/").status == 200
            times.append(time.monotonic() - start)
        assert sorted(times)[25] < 0.25
        for number, connection in enumerate(slow):
            if number % 3 < 2:
                assert is_ended(connection)
    finally:
        for connection in slow:
            connection.close()


def test_a_slow_reader_that_reads_gets_everything() -> None:
    with serving(make_app(), limits={"write_timeout": 500}) as rig, rig.connect() as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        data = bytearray()
        while piece := connection.recv(400_000):
            data += piece
            time.sleep(0.01)
        (answer,) = read_answers(bytes(data))
        assert len(answer.body) == 20_000_000
