from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import sys
import time
from typing import Any

import pytest

from kingpost.http.request import Request
from kingpost.server.loops import LoopKind, new_loop
from tests.waiting import PATIENCE, until_async

from .service import Service, serving

WITH_REQUEST: dict[str, Any] = {"binders": [("request", None)]}


def test_a_request_that_somebody_keeps_is_not_used_again() -> None:
    kept: list[Request] = []

    async def handler(request: Request) -> str:
        kept.append(request)
        return request.path

    async def main() -> None:
        async with serving([("/{name}", handler, "async", WITH_REQUEST)]) as service:
            for name in ("a", "b", "c"):
                assert await service.get(f"/{name}") == (200, f"/{name}".encode())

    asyncio.run(main())

    assert [request.path for request in kept] == ["/a", "/b", "/c"]
    assert len({request.id for request in kept}) == 3


def test_a_client_that_leaves_cancels_its_handler() -> None:
    seen: list[str] = []

    async def handler(request: Request) -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen.append(f"cancelled {request.is_disconnected}")
            raise
        return "late"

    async def main() -> None:
        async with serving([("/", handler, "async", WITH_REQUEST)]) as service:
            async with service.connect() as (_, writer):
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                await until_async(lambda: service.server.in_flight)
            await until_async(lambda: seen)
            assert seen == ["cancelled True"]
            assert service.server.in_flight == 0
            assert service.dispatch.failures == []

    asyncio.run(main())


def test_a_handler_on_the_loop_is_in_flight_from_its_first_suspension_on() -> None:
    running: list[Service] = []

    async def suspends() -> str:
        first = running[0].server.in_flight
        await asyncio.sleep(0)
        return f"{first}, then {running[0].server.in_flight}"

    def returns() -> str:
        return str(running[0].server.in_flight)

    async def main() -> None:
        routes = [
            ("/suspends", suspends, "async", {}),
            ("/inline", returns, "inline", {}),
            ("/thread", returns, "thread", {}),
        ]
        async with serving(routes) as service:
            running.append(service)
            assert await service.get("/suspends") == (200, b"0, then 1")
            assert await service.get("/inline") == (200, b"0")
            assert await service.get("/thread") == (200, b"1")
            assert service.server.in_flight == 0

    asyncio.run(main())


def test_pipelined_answers_keep_their_order_under_mixed_latency() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.05)
        return "slow"

    def quick() -> str:
        return "quick"

    async def main() -> None:
        routes = [
            ("/slow", slow, "async", {}),
            ("/quick", quick, "inline", {}),
            ("/thread", quick, "thread", {}),
        ]
        async with serving(routes) as service, service.connect() as (reader, writer):
            order = ["/slow", "/quick", "/thread", "/slow", "/quick"]
            for path in order:
                writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            bodies = []
            for _ in order:
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                bodies.append((await reader.readexactly(length)).decode())
            assert bodies == ["slow", "quick", "quick", "slow", "quick"]

    asyncio.run(main())


def test_a_request_behind_an_unsafe_one_waits_for_its_answer() -> None:
    log: list[str] = []

    async def post() -> str:
        log.append("post begins")
        await asyncio.sleep(0.05)
        log.append("post ends")
        return "post"

    async def get() -> str:
        log.append("get")
        return "get"

    async def main() -> None:
        async with serving([("/post", post, "async", {}), ("/get", get, "async", {})]) as service:
            async with service.connect() as (reader, writer):
                writer.write(b"POST /post HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi")
                writer.write(b"GET /get HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                await asyncio.wait_for(reader.read(), PATIENCE)

    asyncio.run(main())

    assert log == ["post begins", "post ends", "get"]


def test_a_body_is_complete_before_its_handler_runs() -> None:
    async def handler(request: Request) -> str:
        return request.body.decode()

    async def main() -> None:
        async with serving([("/", handler, "async", {**WITH_REQUEST, "max_body": 10})]) as service:
            assert await service.get("/", method="POST", body=b"0123456789") == (200, b"0123456789")
            status, body = await service.get("/", method="POST", body=b"0123456789+")
            assert (status, b'"status":413' in body) == (413, True)

    asyncio.run(main())


def test_a_streamed_body_is_read_as_it_comes() -> None:
    async def handler(request: Request) -> str:
        stream = request.stream
        assert stream is not None
        pieces = []
        while piece := await stream.chunk():
            pieces.append(piece)
        return f"{stream.length} {b''.join(pieces).decode()}"

    def thread_handler(request: Request) -> str:
        stream = request.stream
        assert stream is not None
        pieces = []
        while piece := stream.chunk_blocking():
            pieces.append(piece)
        return f"{stream.length} {b''.join(pieces).decode()}"

    async def main() -> None:
        options = {**WITH_REQUEST, "stream_body": True}
        routes = [("/a", handler, "async", options), ("/b", thread_handler, "thread", options)]
        async with serving(routes) as service:
            for path in ("/a", "/b"):
                async with service.connect() as (reader, writer):
                    writer.write(
                        f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\nconnection: close\r\n\r\n".encode()
                    )
                    for piece in (b"ab", b"cd", b"ef"):
                        await asyncio.sleep(0.02)
                        writer.write(piece)
                    answer = await asyncio.wait_for(reader.read(), PATIENCE)
                assert answer.endswith(b"\r\n\r\n6 abcdef")

    asyncio.run(main())


def test_a_streamed_upload_waits_for_its_reader_and_memory_stays_flat() -> None:
    import resource

    received = 0

    async def handler(request: Request) -> str:
        nonlocal received
        stream = request.stream
        assert stream is not None
        await asyncio.sleep(0.2)
        while piece := await stream.chunk():
            received += len(piece)
        return str(received)

    async def main() -> None:
        total = 64 * 2**20
        options = {**WITH_REQUEST, "stream_body": True, "max_body": total}
        async with serving([("/", handler, "async", options)]) as service:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            async with service.connect() as (reader, writer):
                writer.write(
                    f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {total}\r\nconnection: close\r\n\r\n".encode()
                )
                for _ in range(total // 2**20):
                    writer.write(b"x" * 2**20)
                    await writer.drain()
                answer = await asyncio.wait_for(reader.read(), PATIENCE)
            assert answer.endswith(str(total).encode())
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024

    asyncio.run(main())


def test_a_handler_that_blocks_the_loop_is_named_with_its_stack(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def block_until_named(count: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while len(caplog.records) < count and time.monotonic() < deadline:
            time.sleep(0.3)

    async def blocking_handler() -> str:
        block_until_named(1)
        return "ok"

    async def later() -> str:
        await asyncio.sleep(0)
        block_until_named(2)
        return "ok"

    async def main() -> None:
        async with serving(
            [("/block", blocking_handler, "async", {}), ("/later", later, "async", {})]
        ) as service:
            assert await service.get("/block") == (200, b"ok")
            assert await service.get("/later") == (200, b"ok")

    with caplog.at_level(logging.WARNING, logger="kingpost.server"):
        asyncio.run(main())

    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert messages[0].startswith("/block blocks the event loop for more than 100 ms")
    assert "block_until_named(1)" in messages[0]
    assert "time.sleep(0.3)" in messages[0]
    assert messages[1].startswith("/later blocks")


@pytest.mark.skipif(sys.platform == "win32", reason="sleep() of the C library")
def test_a_handler_that_holds_the_interpreters_lock_is_named_without_a_stack(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def stubborn() -> str:
        # Called with the lock held, as a long computation in an extension module is.
        ctypes.PyDLL(None).sleep(2)
        return "ok"

    async def main() -> None:
        async with serving([("/stubborn", stubborn, "async", {})]) as service:
            assert await service.get("/stubborn") == (200, b"ok")

    asyncio.run(main())

    said = "/stubborn blocks the event loop and holds the interpreter's lock for more than a second"
    assert said in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["async", "inline"])
def test_a_handler_may_call_the_server_that_called_it(kind: str) -> None:
    order: list[str] = []

    def touch(path: str) -> str:
        order.append(f"{path} begins")
        if path == "/0":
            # What came with this request is handed out meanwhile, or not; nothing is lost and nothing comes twice.
            for _ in range(3):
                service.server.poll()
                service.server.tick()
                service.server.turn()
            assert service.server.current_step() is not None
        order.append(f"{path} ends")
        return path

    async def async_handler(request: Request) -> str:
        return touch(request.path)

    def inline_handler(request: Request) -> str:
        return touch(request.path)

    handler = async_handler if kind == "async" else inline_handler
    service: Service

    async def main() -> None:
        nonlocal service
        paths = [f"/{number}" for number in range(8)]
        async with serving([(path, handler, kind, WITH_REQUEST) for path in paths]) as service:
            async with service.connect() as (reader, writer):
                writer.write(
                    b"".join(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode() for path in paths)
                )
                for path in paths:
                    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
                    assert head.startswith(b"HTTP/1.1 200 "), service.dispatch.failures
                    assert await reader.readexactly(len(path)) == path.encode()
        assert sorted(order) == sorted(
            f"{path} {what}" for path in paths for what in ("begins", "ends")
        )

    asyncio.run(main())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_ten_thousand_requests_are_suspended_at_once_and_leave_nothing(loop: LoopKind) -> None:
    release: asyncio.Event

    async def handler() -> str:
        await release.wait()
        return "ok"

    async def suspend(service: Service) -> None:
        nonlocal release
        release = asyncio.Event()
        connections = [await asyncio.open_connection("127.0.0.1", service.port) for _ in range(100)]
        for _, writer in connections:
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 100)
        await until_async(lambda: service.server.in_flight >= 10_000)
        assert service.server.in_flight == 10_000
        assert len(asyncio.all_tasks()) >= 10_000
        release.set()
        for reader, writer in connections:
            data = b""
            while data.count(b"HTTP/1.1 200 OK") < 100 or not data.endswith(b"\r\n\r\nok"):
                data += await asyncio.wait_for(reader.read(65536), PATIENCE)
            writer.close()
            await writer.wait_closed()
        assert service.server.in_flight == 0

    async def main() -> None:
        async with serving([("/", handler, "async", {})], limits={"pipelined": 100}) as service:
            await suspend(service)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            gc.collect()
            known = len(gc.get_objects())
            await suspend(service)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            gc.collect()
            assert len(gc.get_objects()) - known < 1_000

    with asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner:
        runner.run(main())


def test_a_turn_of_the_loop_starts_a_bounded_number_of_requests() -> None:
    """However much is ready, timers have their turn: a batch is on the loop's list once, not once per asking."""
    connections, requests = 16, 300
    started = 0
    per_turn: list[int] = []

    def handler() -> str:
        nonlocal started
        started += 1
        return "ok"

    async def client(service: Service) -> None:
        async with service.connect() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * requests)
            for _ in range(requests):
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
                assert head.startswith(b"HTTP/1.1 200 ")
                assert await reader.readexactly(2) == b"ok"

    async def main() -> None:
        async with serving([("/", handler, "inline", {})]) as service:
            loop = asyncio.get_running_loop()
            known = 0

            def turn() -> None:
                nonlocal known
                per_turn.append(started - known)
                known = started
                service.server.poll()  # as the loop does while clients send
                ticker[0] = loop.call_soon(turn)

            ticker = [loop.call_soon(turn)]
            await asyncio.gather(*(client(service) for _ in range(connections)))
            ticker[0].cancel()

    asyncio.run(main())

    assert started == connections * requests
    # A batch for us, one because the descriptor was readable, and one because a batch before left something.
    assert 0 < max(per_turn) <= 3 * (128 + 64)
