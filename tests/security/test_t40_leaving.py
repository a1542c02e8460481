"""T40: a peer that half-closes, closes or resets at any moment. No busy loop, no dead thread, nothing left."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from kingpost import App, BodyStream, Request
from tests.descriptors import open_files
from tests.security.rig import (
    SHELLS,
    Driver,
    Rig,
    half_close,
    read_answers,
    reset,
    send,
    serving,
    until_quiet,
)
from tests.waiting import until


def half_close_reading(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


WAYS: dict[str, Callable[[socket.socket], None]] = {
    "closes": socket.socket.close,
    "resets": reset,
    "half-closes": half_close,
    "stops reading": half_close_reading,
}


def count_open() -> int:
    gc.collect()
    return len(open_files())


def make_app() -> App:
    app = App()

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.02)
        return "slow"

    @app.get("/thread")
    def thread() -> str:
        time.sleep(0.01)
        return "thread"

    @app.get("/large")
    async def large() -> bytes:
        return b"x" * 3_000_000

    @app.get("/chunks")
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 30_000

    @app.get("/chunks-def")
    def chunks_def() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 30_000

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(request.body)

    @app.post("/body-def")
    def body_def(request: Request) -> int:
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


GETS = [b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n" % path for path in (
    b"/quick", b"/slow", b"/thread", b"/large", b"/chunks", b"/chunks-def", b"/nowhere",
)]  # fmt: skip
POSTS = [
    b"POST %s HTTP/1.1\r\nhost: a\r\n%s" % (path, body)
    for path in (b"/body", b"/body-def", b"/stream", b"/stream-def", b"/quick")
    for body in (
        b"content-length: 50000\r\n\r\n" + b"x" * 50_000,
        b"transfer-encoding: chunked\r\n\r\n" + b"100\r\n" + b"x" * 256 + b"\r\n0\r\n\r\n",
        b"content-length: 5\r\nexpect: 100-continue\r\n\r\nhello",
    )
]


@pytest.fixture(scope="module", params=SHELLS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with serving(make_app(), driver=request.param) as rig:
        rig.get("/quick")
        rig.get("/thread")
        yield rig


@pytest.mark.parametrize("way", WAYS)
def test_a_client_may_leave_behind_any_byte(rig: Rig, way: str) -> None:
    files = count_open()
    dice = random.Random(way)  # noqa: S311 - to choose places
    for number in range(200):
        data = dice.choice(GETS) * dice.choice((1, 1, 3)) if number % 2 else dice.choice(POSTS)
        connection = rig.connect()
        send(
            connection,
            data[
                : dice.choice((0, 1, 20, len(data) - 1, len(data), dice.randrange(len(data) + 1)))
            ],
        )
        if dice.random() < 0.3:
            time.sleep(0.002)
        if dice.random() < 0.3:
            with contextlib.suppress(OSError):
                connection.settimeout(0.01)
                connection.recv(dice.choice((1, 1000, 100_000)))
        WAYS[way](connection)
        # Whoever only shut one side is still there, but not for ever.
        if way in ("half-closes", "stops reading"):
            threading.Timer(0.05, connection.close).start()
    rig.until_idle()
    until_quiet()
    assert rig.get("/quick").body == b"quick"
    assert rig.get("/thread").body == b"thread"
    until(lambda: count_open() <= files + 3)


def test_a_streamed_body_is_answered_though_its_client_half_closed_behind_it(rig: Rig) -> None:
    # Most of these are read a turn of the loop after the client's end is known.
    for number in range(60):
        body = b"x" * 300_000 if number % 2 else b"hello"
        framing = b"content-length: %d\r\n\r\n%s" % (len(body), body)
        if number % 3:
            framing = b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        (answer,) = rig.ask(b"POST /stream HTTP/1.1\r\nhost: a\r\n" + framing)
        assert answer.body == b"%d" % len(body)
        too_large = b"transfer-encoding: chunked\r\n\r\n%x\r\n" % (1 << 30)
        (answer,) = rig.ask(b"POST /stream HTTP/1.1\r\nhost: a\r\n" + too_large)
        assert answer.status == 413


@pytest.mark.parametrize(
    "request_", [*GETS, *POSTS], ids=lambda data: data[:25].decode().replace("\r\n", " ")
)
def test_a_client_that_half_closes_behind_its_request_is_answered_or_dropped(
    rig: Rig, request_: bytes
) -> None:
    for _ in range(5):
        # Everything in one go: data and end may be seen in one look.
        data = rig.talk(request_)
        if not any(path in request_ for path in (b"/slow", b"/chunks ")):
            # What does not wait for anything is answered.
            (answer,) = read_answers(data)
            assert answer.status in (200, 404, 405)
    rig.until_idle()


@pytest.mark.parametrize("driver", SHELLS)
def test_idle_and_half_closed_clients_cost_no_processor_time(driver: Driver) -> None:
    app = make_app()

    @app.get("/never")
    async def never() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3)
        await asyncio.sleep(3)
        return ""

    with serving(app, driver=driver) as rig:
        connections = [rig.connect() for _ in range(40)]
        for number, connection in enumerate(connections):
            match number % 8:
                case 0:
                    pass
                case 1:
                    connection.sendall(b"GET / HT")
                case 2:
                    connection.sendall(
                        b"POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\nhi"
                    )
                case 3:
                    # Refuses to leave although it was cancelled.
                    connection.sendall(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
                    half_close(connection)
                case 4:
                    connection.sendall(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
                case 5:
                    # Nobody reads the answer.
                    connection.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n" * 20)
                case 6:
                    connection.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n" * 20)
                    half_close(connection)
                case _:
                    connection.sendall(b"GET /chunks HTTP/1.1\r\nhost: a\r\n\r\n" * 20)
        # What was asked for is being made for a moment; nothing spins afterwards.
        until_quiet()
        for connection in connections:
            reset(connection)
        assert rig.get("/quick").body == b"quick"


def test_a_generator_of_a_client_that_left_is_closed() -> None:
    app = App()
    closed: list[str] = []

    @app.get("/async")
    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
                await asyncio.sleep(0)
        finally:
            closed.append("async")

    @app.get("/def")
    def endless_def() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
        finally:
            closed.append("def")

    for driver in SHELLS:
        closed.clear()
        with serving(app, driver=driver) as rig:
            for path in ("/async", "/def"):
                for leave in (reset, socket.socket.close):
                    connection = rig.connect()
                    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
                    connection.recv(1000)
                    leave(connection)
            rig.until_idle()
            until(lambda: len(closed) == 4)
            assert sorted(closed) == ["async", "async", "def", "def"]


@pytest.mark.parametrize("driver", SHELLS)
def test_thousands_of_aborted_connections_leave_nothing(driver: Driver) -> None:
    _abort(driver, 3_000)


@pytest.mark.long
@pytest.mark.parametrize("driver", SHELLS)
def test_a_hundred_thousand_aborted_connections_leave_nothing(driver: Driver) -> None:
    _abort(driver, 100_000)


def _resident() -> int:
    """Memory in use, in KiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return int(status.read_text().partition("VmRSS:")[2].split()[0])


def _abort(driver: Driver, count: int) -> None:
    dice = random.Random(7)  # noqa: S311 - to choose places
    with serving(make_app(), driver=driver) as rig:

        def some(number: int) -> None:
            for _ in range(number):
                data = dice.choice(GETS) if dice.random() < 0.7 else dice.choice(POSTS)
                connection = rig.connect()
                send(connection, data[: dice.randrange(len(data) + 1)])
                (reset if dice.random() < 0.5 else socket.socket.close)(connection)
            rig.until_idle()

        some(count // 3)
        files, memory, threads = count_open(), _resident(), threading.active_count()
        some(count - count // 3)
        until(lambda: count_open() <= files + 3)
        until(lambda: threading.active_count() <= threads + 2)
        assert _resident() - memory < 16_000
        until_quiet()
