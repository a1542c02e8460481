from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import pytest

from kingpost.http.request import Request
from tests.waiting import PATIENCE

from .service import serving


class _Body(Protocol):
    def chunk(self) -> Awaitable[bytes]: ...


def _wait_for(body: _Body) -> asyncio.Task[bytes]:
    async def read() -> bytes:
        return await body.chunk()

    return asyncio.ensure_future(read())


def _routes(ask: Callable[[_Body], Awaitable[str]]) -> list[Any]:
    async def handler(request: Request) -> str:
        assert request.stream is not None
        return await ask(request.stream)

    return [("/", handler, "async", {"binders": [("request",)], "stream_body": True})]


OVER = ConnectionResetError("the client left, or was answered, before its body was complete")
HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n"


def test_one_task_at_a_time_reads_a_body() -> None:
    begun = asyncio.Event()

    async def ask(body: _Body) -> str:
        first = _wait_for(body)
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task reads this body already"):
            await body.chunk()
        begun.set()
        return f"{await first!r} {await body.chunk()!r}"

    async def main() -> None:
        async with serving(_routes(ask)) as service, service.connect() as (reader, writer):
            writer.write(HEAD)
            await asyncio.wait_for(begun.wait(), PATIENCE)
            writer.write(b"12345")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            assert b"b'12345' b''" in await reader.readuntil(b"b''")

    asyncio.run(main())


def test_whoever_was_cancelled_does_not_keep_the_next_from_reading() -> None:
    begun = asyncio.Event()

    async def ask(body: _Body) -> str:
        waiting = _wait_for(body)
        await asyncio.sleep(0)
        waiting.cancel()
        # One that never came to wait, though it has asked.
        unborn = asyncio.ensure_future(body.chunk())
        unborn.cancel()
        await asyncio.wait([waiting, unborn])
        assert waiting.cancelled()
        assert unborn.cancelled()
        begun.set()
        return repr(await body.chunk())

    async def main() -> None:
        async with serving(_routes(ask)) as service, service.connect() as (reader, writer):
            writer.write(HEAD)
            await asyncio.wait_for(begun.wait(), PATIENCE)
            writer.write(b"12345")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            assert await reader.readuntil(b"b'12345'")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("answered", OVER),
        ("left", RuntimeError("http.incomplete-request")),
        ("closed", OVER),
    ],
)
def test_a_task_that_still_reads_when_the_request_is_over_is_told(
    end: str, told: Exception
) -> None:
    left: list[asyncio.Task[bytes]] = []
    begun = asyncio.Event()

    async def ask(body: _Body) -> str:
        left.append(_wait_for(body))
        await asyncio.sleep(0)
        begun.set()
        if end != "answered":
            await asyncio.Event().wait()
        return "done"

    async def main() -> None:
        async with serving(_routes(ask)) as service, service.connect() as (reader, writer):
            writer.write(HEAD)
            await asyncio.wait_for(begun.wait(), PATIENCE)
            if end == "answered":
                assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            elif end == "left":
                writer.close()
            else:
                service.server.close()
            done, _ = await asyncio.wait(left, timeout=PATIENCE)
            assert len(done) == 1
            assert repr(left[0].exception()) == repr(told)

    asyncio.run(main())


def test_a_task_that_outlives_its_server_goes_on_reading_in_vain() -> None:
    bodies: list[_Body] = []
    begun = asyncio.Event()

    async def ask(body: _Body) -> str:
        bodies.append(body)
        begun.set()
        await asyncio.Event().wait()
        return "done"

    async def main() -> None:
        async with serving(_routes(ask)) as service, service.connect() as (_, writer):
            writer.write(HEAD)
            await asyncio.wait_for(begun.wait(), PATIENCE)
        task = _wait_for(bodies[0])
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
        assert done == {task}
        assert isinstance(task.exception(), ConnectionResetError)

    asyncio.run(main())
