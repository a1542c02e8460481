from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from kingpost.http.request import Request
from tests.waiting import PATIENCE

from .service import serving


def test_a_task_whose_wait_nobody_can_end_is_collected() -> None:
    told: list[str] = []
    known: list[weakref.ref[Any]] = []

    async def ask(request: Request) -> str:
        stream = request.stream
        assert stream is not None
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: told.append(context["message"])
        )

        async def read() -> bytes:
            return await stream.chunk()

        first, second = asyncio.ensure_future(read()), asyncio.ensure_future(read())
        await asyncio.sleep(0)
        # The second waits in its place: all that holds the first now are itself and what it waits for.
        known.append(weakref.ref(first))
        del first
        # One that another thread has under way makes this one do nothing.
        for _ in range(100):
            gc.collect()
            if known[0]() is None:
                break
            await asyncio.sleep(0.01)
        assert known[0]() is None
        second.cancel()
        return "done"

    async def main() -> None:
        routes: list[Any] = [("/", ask, "async", {"binders": [("request",)], "stream_body": True})]
        async with serving(routes) as service, service.connect() as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")

    asyncio.run(main())
    assert told == ["Task was destroyed but it is pending!"]


def test_a_task_that_outlives_its_server_can_be_cancelled() -> None:
    left: list[asyncio.Task[bytes]] = []

    async def ask(request: Request) -> str:
        stream = request.stream
        assert stream is not None
        # Of the second nobody knows any more that it was there once the first waits in its place.
        left.extend(asyncio.ensure_future(stream.chunk()) for _ in range(2))
        await asyncio.sleep(0)
        return "done"

    async def main() -> None:
        routes: list[Any] = [("/", ask, "async", {"binders": [("request",)], "stream_body": True})]
        async with serving(routes) as service, service.connect() as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        left[0].cancel()
        done, _ = await asyncio.wait(left[:1], timeout=PATIENCE)
        assert done == {left[0]}
        assert left[0].cancelled()

    asyncio.run(main())
