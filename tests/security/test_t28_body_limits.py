"""T28: a body has a limit whatever the handler asks for, and what a client says of itself costs no memory."""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator
from typing import Any

import pytest

from kingpost import App, BodyStream, HTTPError, Request
from tests.security.rig import SHELLS, Rig, is_ended, read_answers, send_until_full, serving, until

LIMIT = 1_048_576


def make_app() -> App:
    app = App()

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(request.body)

    @app.post("/raw-def")
    def raw_def(request: Request) -> int:
        return len(request.body)

    @app.post("/untouched")
    async def untouched() -> str:
        return "no body wanted"

    @app.post("/typed")
    async def typed(value: dict[str, str]) -> int:
        return len(value)

    @app.post("/stream")
    async def stream(body: BodyStream) -> int:
        total = 0
        async for chunk in body:
            total += len(chunk)
        return total

    @app.post("/stream-def")
    def stream_def(body: BodyStream) -> int:
        return sum(len(chunk) for chunk in body)

    @app.post("/small", max_body=10)
    async def small(request: Request) -> int:
        return len(request.body)

    @app.post("/small-stream", max_body=10)
    async def small_stream(body: BodyStream) -> int:
        total = 0
        async for chunk in body:
            total += len(chunk)
        return total

    @app.post("/catches", max_body=10)
    async def catches(body: BodyStream) -> str:
        try:
            async for _ in body:
                pass
        except HTTPError as error:
            return f"{error.status} {error.code}"
        return "complete"

    return app


@pytest.fixture(scope="module", params=SHELLS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with serving(make_app(), driver=request.param) as rig:
        yield rig
        rig.until_idle()


def post(
    path: str, size: int, *, chunked: bool, media_type: str = "application/octet-stream"
) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {media_type}\r\n"
    body = b"x" * size
    if not chunked:
        return f"{head}content-length: {size}\r\n\r\n".encode() + body
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(piece), piece)
        for piece in (body[start : start + 100_000] for start in range(0, size, 100_000))
    )
    return f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/raw", "/raw-def", "/stream", "/stream-def"])
def test_a_body_at_its_limit_passes_and_a_byte_more_does_not(
    rig: Rig, path: str, chunked: bool
) -> None:
    (answer,) = rig.ask(post(path, LIMIT, chunked=chunked))
    assert (answer.status, answer.body) == (200, str(LIMIT).encode())
    (answer,) = rig.ask(post(path, LIMIT + 1, chunked=chunked))
    assert answer.status == 413
    assert answer.code == "http.body-too-large"
    assert answer.get("connection") == "close"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/small", "/small-stream"])
def test_the_limit_of_a_route_holds(rig: Rig, path: str, chunked: bool) -> None:
    assert rig.ask(post(path, 10, chunked=chunked))[0].body == b"10"
    assert rig.ask(post(path, 11, chunked=chunked))[0].status == 413


@pytest.mark.parametrize("path", ["/untouched", "/typed"])
def test_a_body_that_nobody_asked_for_as_bytes_is_limited_too(rig: Rig, path: str) -> None:
    (answer,) = rig.ask(post(path, LIMIT + 1, chunked=True, media_type="application/json"))
    assert answer.status == 413


def test_a_handler_that_catches_the_refusal_may_answer_and_the_connection_ends(rig: Rig) -> None:
    answers = rig.ask(post("/catches", 11, chunked=False) + post("/small", 1, chunked=False))
    assert [answer.body for answer in answers] == [b"413 http.body-too-large"]
    assert answers[0].get("connection") == "close"


def test_a_length_beyond_all_numbers_is_refused_at_once(rig: Rig) -> None:
    for length in ("18446744073709551615", "18446744073709551616", "9" * 40):
        head = f"POST /raw HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"
        (answer,) = rig.ask(head.encode(), end=False)
        assert answer.status in (400, 413)
    for size in ("7fffffffffffffff", "ffffffffffffffff", "1" + "0" * 16):
        head = f"POST /raw HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{size}\r\n"
        (answer,) = rig.ask(head.encode(), end=False)
        assert answer.status in (400, 413)


def test_what_is_announced_and_not_sent_costs_no_memory(rig: Rig) -> None:
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    connections = [rig.connect() for _ in range(200)]
    for number, connection in enumerate(connections):
        path = "/raw" if number % 2 else "/stream"
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {LIMIT}\r\n\r\nx".encode()
        )
    until(lambda: rig.server.connections == 200)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    for connection in connections:
        connection.close()
    # 200 MiB were announced.
    assert grown < 40_000, f"{grown} KiB"
    rig.until_idle()


def test_a_stream_that_nobody_reads_is_not_read_from_the_client() -> None:
    app = App()
    gate: list[Any] = []

    @app.post("/", max_body=1 << 30)
    async def wait(body: BodyStream) -> str:
        import asyncio

        gate.append(asyncio.get_running_loop())
        event = asyncio.Event()
        gate.append(event)
        await event.wait()
        return "done"

    with serving(app) as rig, rig.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n")
        # What the system's own buffers take, and little more.
        assert send_until_full(connection, b"x" * 1_000_000) < 20_000_000
        gate[0].call_soon_threadsafe(gate[1].set)
        connection.settimeout(10)
        (answer,) = read_answers(connection.recv(65536))
        assert (answer.body, answer.get("connection")) == (b"done", "close")
        assert is_ended(connection)
