"""Feeds of one process, which stand for four: over the bus that workers have."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from kingpost.feeds import Feed, Polled, feed
from kingpost.http import Event
from kingpost.server.shared import Bus, Shared, Workshop
from tests.unit.feeds.conformance import KEEP, FeedConformance, OneFeed

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers are forked")


class Here:
    """A feed of this process."""

    def __init__(self, feed: Feed[int]) -> None:
        self._feed = feed

    async def add(self, number: int, /) -> str:
        return self._feed.add(number)

    async def poll(
        self,
        after: str | None = None,
        /,
        *,
        timeout: float,  # noqa: ASYNC109 - as of a feed
    ) -> Polled[int]:
        return await self._feed.poll(after, timeout=timeout)

    async def some(self, after: str | None, count: int, /) -> list[tuple[str | None, str | None]]:
        return await some(self._feed, after, count)


async def some(
    feed: Feed[int], after: str | None, count: int
) -> list[tuple[str | None, str | None]]:
    found: list[Event[int]] = []
    async for each in feed.events(after):
        # The first one says where the follower stands.
        if each.retry is None:
            found.append(each)
        if len(found) == count:
            break
    return [(each.event, each.id) for each in found]


class TestFeedsOverTheBus(FeedConformance):
    @pytest.fixture(autouse=True)
    def _patched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    @asynccontextmanager
    async def feeds(self) -> AsyncGenerator[Sequence[OneFeed]]:
        workshop = Workshop(4)
        workshop.set_workers(4)
        try:
            async with AsyncExitStack() as stack:
                opened: list[OneFeed] = []
                for slot in range(4):
                    bus = Bus(workshop.counters, workshop._lanes, 2 * slot)
                    bus.open(asyncio.get_running_loop())
                    stack.callback(bus.close)
                    shared = Shared(slot, 2 * slot, workshop.counters, bus)
                    self.monkeypatch.setattr(feed, "here", lambda shared=shared: shared)
                    numbers = Feed("numbers", int, keep=KEEP)
                    lifespan = numbers._open()
                    await anext(lifespan)
                    stack.push_async_callback(anext, lifespan, None)
                    opened.append(Here(numbers))
                yield opened
        finally:
            workshop.close()
