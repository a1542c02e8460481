from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Iterator

from tests.waiting import PATIENCE, until_async

from .service import serving

MEBIBYTE = 1024 * 1024


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_an_asynchronous_generator_is_sent_chunk_by_chunk() -> None:
    async def chunks() -> AsyncIterator[str | bytes]:
        yield "one "
        await asyncio.sleep(0)
        yield b"two"

    async def main() -> None:
        async with serving([("/", chunks, "asyncgen", {})]) as service:
            assert await service.get("/") == (200, b"one two")

    asyncio.run(main())


def test_a_generator_of_a_thread_is_sent_chunk_by_chunk() -> None:
    def chunks() -> Iterator[str]:
        yield "one "
        yield "two"

    async def main() -> None:
        async with serving(
            [("/", chunks, "thread", {}), ("/inline", chunks, "inline", {})]
        ) as service:
            assert await service.get("/") == (200, b"one two")
            assert await service.get("/inline") == (200, b"one two")

    asyncio.run(main())


def test_a_generator_that_fails_half_way_does_not_look_complete() -> None:
    async def chunks() -> AsyncIterator[str]:
        yield "one"
        raise ValueError("half-way")

    def thread_chunks() -> Iterator[str]:
        yield "one"
        raise ValueError("half-way")

    async def main() -> None:
        routes = [("/a", chunks, "asyncgen", {}), ("/b", thread_chunks, "thread", {})]
        async with serving(routes) as service:
            for path in ("/a", "/b"):
                async with service.connect() as (reader, writer):
                    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                    try:
                        data = await asyncio.wait_for(reader.read(), PATIENCE)
                    except ConnectionError:
                        data = b""
                assert not data.endswith(b"0\r\n\r\n")
            assert [str(error) for error in service.dispatch.failures] == ["half-way", "half-way"]

    asyncio.run(main())


def slow_reader_keeps_memory_flat(kind: str) -> None:
    total = 1024 * MEBIBYTE
    piece = b"x" * 65536
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        while sent < total:
            sent += len(piece)
            yield piece

    async def async_pieces() -> AsyncIterator[bytes]:
        for chunk in pieces():
            yield chunk

    handler = async_pieces if kind == "asyncgen" else pieces

    async def main() -> None:
        async with serving([("/", handler, kind, {})]) as service:
            async with service.connect() as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                await reader.readexactly(100)
                await asyncio.sleep(0.3)
                # The reader has taken 100 bytes: what was made fits the buffers on the way.
                waiting = sent
                before = peak_memory()
                received = 100
                while data := await reader.read(MEBIBYTE):
                    received += len(data)
        assert waiting < 32 * MEBIBYTE
        assert received > total
        assert peak_memory() - before < 24 * MEBIBYTE

    asyncio.run(main())


def test_a_slow_reader_of_an_asynchronous_generator_keeps_memory_flat() -> None:
    slow_reader_keeps_memory_flat("asyncgen")


def test_a_slow_reader_of_a_thread_keeps_memory_flat() -> None:
    slow_reader_keeps_memory_flat("thread")


def test_a_slow_reader_of_an_inline_generator_keeps_memory_flat() -> None:
    slow_reader_keeps_memory_flat("inline")


def test_generators_are_closed_when_the_client_leaves() -> None:
    closed: list[str] = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.append("async")

    def thread_chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.append("thread")

    async def idle() -> AsyncIterator[bytes]:
        try:
            yield b"x"
            await asyncio.sleep(60)
        finally:
            closed.append("idle")

    async def main() -> None:
        routes = [
            ("/async", chunks, "asyncgen", {}),
            ("/thread", thread_chunks, "thread", {}),
            ("/idle", idle, "asyncgen", {}),
        ]
        async with serving(routes) as service:
            for path in ("/async", "/thread", "/idle"):
                async with service.connect() as (reader, writer):
                    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
                    await reader.readexactly(50)
                    writer.transport.abort()
                await until_async(lambda path=path: path[1:] in closed)
            assert closed == ["async", "thread", "idle"]
            assert service.server.in_flight == 0

    asyncio.run(main())


def test_a_head_request_closes_the_generator_without_a_step() -> None:
    steps: list[str] = []

    async def chunks() -> AsyncIterator[str]:
        steps.append("step")
        yield "x"

    def thread_chunks() -> Iterator[str]:
        steps.append("step")
        yield "x"

    async def main() -> None:
        async with serving(
            [("/a", chunks, "asyncgen", {}), ("/b", thread_chunks, "thread", {})]
        ) as service:
            assert await service.get("/a", method="HEAD") == (200, b"")
            assert await service.get("/b", method="HEAD") == (200, b"")
            assert steps == []

    asyncio.run(main())


def test_a_chunk_of_a_wrong_type_ends_the_answer_with_a_clear_error() -> None:
    async def chunks() -> AsyncIterator[object]:
        yield b"fine"
        yield 42

    async def main() -> None:
        async with serving([("/", chunks, "asyncgen", {})]) as service:
            async with service.connect() as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                with contextlib.suppress(ConnectionError):
                    await asyncio.wait_for(reader.read(), PATIENCE)
            assert [str(error) for error in service.dispatch.failures] == [
                "a chunk of an answer is bytes or str, not int"
            ]

    asyncio.run(main())
