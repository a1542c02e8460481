from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from kingpost.http.request import Request

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
        gc.collect()
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
