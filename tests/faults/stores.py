"""A service whose requests do what the stores of this host's memory do, one operation a request.

Each store is here many times over, so that each test has one that nobody has used.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Annotated

from kingpost import App, Body
from kingpost.channels import MemoryStore
from kingpost.feeds import Feed, Polled
from kingpost.middleware.rate_limit import MemoryRateStore
from kingpost.server.shared import here

MOST = 12
"""Tests that one service is enough for."""
KEEP = 50


class Numbered:
    """The workers' bus, as one of several stores has it for itself."""

    def __init__(self, number: int) -> None:
        self._number = number

    def send(self, kind: str, payload: bytes) -> None:
        here().bus.send(f"{kind} {self._number}", payload)

    def listen(self, kind: str, receive: Callable[[bytes], None]) -> Callable[[], None]:
        return here().bus.listen(f"{kind} {self._number}", receive)


class Heard:
    """What was delivered to a store of channels."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._news = asyncio.Event()

    def deliver(self, channel: str, message: bytes) -> None:
        self.messages.append((channel, message))
        self._news.set()

    async def behind(self, count: int) -> list[tuple[str, bytes]]:
        while len(self.messages) <= count:
            self._news.clear()
            await self._news.wait()
        return self.messages[count:]


rates = [MemoryRateStore() for _ in range(MOST)]
channels = [MemoryStore(bus=Numbered(number)) for number in range(MOST)]
heard = [Heard() for _ in range(MOST)]
feeds = [Feed(f"numbers-{number}", int, keep=KEEP) for number in range(MOST)]
app = App(plugins=feeds)


@app.get("/worker")
async def worker() -> int:
    return os.getpid()


@app.post("/rates/{store:int}/hit")
async def hit(store: int, asked: Annotated[tuple[str, float], Body()]) -> tuple[int, float]:
    return await rates[store].hit(*asked)


@app.post("/channels/{store:int}/start")
async def start(store: int) -> None:
    await channels[store].start(heard[store].deliver)


@app.post("/channels/{store:int}/stop")
async def stop(store: int) -> None:
    await channels[store].stop()


@app.post("/channels/{store:int}/subscribe")
async def subscribe(store: int, asked: Annotated[str, Body()]) -> None:
    await channels[store].subscribe(asked)


@app.post("/channels/{store:int}/unsubscribe")
async def unsubscribe(store: int, asked: Annotated[str, Body()]) -> None:
    await channels[store].unsubscribe(asked)


@app.post("/channels/{store:int}/publish", max_body=2 << 20)
async def publish(store: int, asked: Annotated[tuple[str, bytes], Body()]) -> int:
    """How many messages this worker has heard by now."""
    await channels[store].publish(*asked)
    return len(heard[store].messages)


@app.post("/channels/{store:int}/heard")
async def messages(store: int, asked: Annotated[int, Body()]) -> list[tuple[str, bytes]]:
    return await heard[store].behind(asked)


@app.post("/feeds/{feed:int}/add")
async def add(feed: int, asked: Annotated[int, Body()]) -> str:
    return feeds[feed].add(asked)


@app.post("/feeds/{feed:int}/poll")
async def poll(feed: int, asked: Annotated[tuple[str | None, float], Body()]) -> Polled[int]:
    return await feeds[feed].poll(asked[0], timeout=asked[1])


@app.post("/feeds/{feed:int}/some")
async def some(
    feed: int, asked: Annotated[tuple[str | None, int], Body()]
) -> list[tuple[str | None, str | None]]:
    after, count = asked
    found: list[tuple[str | None, str | None]] = []
    async for each in feeds[feed].events(after):
        # The first one says where the follower stands.
        if each.retry is None:
            found.append((each.event, each.id))
        if len(found) == count:
            break
    return found
