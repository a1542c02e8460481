"""One request to an App."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Unpack

from kingpost import App
from kingpost.testing import AsyncTestClient, RequestOptions, TestClient, TestResponse
from tests.waiting import PATIENCE, until, until_async


def ask(
    app: App, path: str = "/", method: str = "GET", **options: Unpack[RequestOptions]
) -> TestResponse:
    """The answer, of a server of its own; what a handler raises is a 500."""
    with TestClient(app, raise_errors=False) as client:
        return client.request(method, path, **options)


def until_served(client: TestClient, condition: Callable[[], bool]) -> None:
    """Waits until something is so that the loop of a TestClient does, which runs only while the client waits for an answer."""

    def holds() -> bool:
        client.get("/nothing")
        return condition()

    until(holds)


async def ask_and_leave(app: App, is_served: asyncio.Event, seen: Callable[[], object]) -> None:
    """Asks for "/", and leaves when the handler has set `is_served`; what this leads to is `seen` before the server is stopped."""
    async with AsyncTestClient(app) as client:
        asking = asyncio.create_task(client.get("/"))
        async with asyncio.timeout(PATIENCE):
            await is_served.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until_async(seen)
