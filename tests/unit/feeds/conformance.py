"""What feeds of one name in four processes have to do together, as tests to inherit."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from kingpost.feeds import Polled
from tests.waiting import PATIENCE

KEEP = 50
"""Events that each of the feeds keeps."""


class OneFeed(Protocol):
    """A feed of numbers, in a process of its own."""

    async def add(self, number: int, /) -> str:
        """As of `Feed`."""
        ...

    async def poll(
        self,
        after: str | None = None,
        /,
        *,
        timeout: float,  # noqa: ASYNC109 - as of a feed
    ) -> Polled[int]:
        """As of `Feed`."""
        ...

    async def some(self, after: str | None, count: int, /) -> list[tuple[str | None, str | None]]:
        """The name and the id of the first events behind an id, as they are streamed."""
        ...


class FeedConformance(ABC):
    """Tests for pytest: a subclass gives the feeds, and is called `Test…`."""

    @abstractmethod
    def feeds(self) -> AbstractAsyncContextManager[Sequence[OneFeed]]:
        """Four that nothing was added to, each as in a process of its own, which keep `KEEP` events."""

    def test_what_is_added_in_any_is_seen_in_all_in_one_order(self) -> None:
        """A request for each in turn."""

        async def test(four: Sequence[OneFeed]) -> None:
            ids = [await four[number % 4].add(number) for number in range(41)]
            assert len(set(ids)) == 41
            for each in four:
                assert await collected(each, ids[0], 40) == [*range(1, 41)]

        self._run(test)

    def test_what_is_added_at_once_is_seen_once_and_in_the_same_order_in_all(self) -> None:
        """None is lost, and none comes twice."""

        async def test(four: Sequence[OneFeed]) -> None:
            start = await four[0].add(-1)
            await asyncio.gather(*(four[number % 4].add(number) for number in range(KEEP)))
            orders = [await collected(each, start, KEEP) for each in four]
            assert sorted(orders[0]) == [*range(KEEP)]
            assert orders == [orders[0]] * 4

        self._run(test)

    def test_who_comes_back_to_another_goes_on_where_it_was(self) -> None:
        """At once, with what it was told last."""

        async def test(four: Sequence[OneFeed]) -> None:
            last = await four[0].add(0)
            for number in range(1, 40):
                said = await four[number % 4].add(number)
                polled = await four[(number + 1) % 4].poll(last, timeout=PATIENCE)
                assert (polled.events, polled.last, polled.lost) == ([number], said, False)
                last = polled.last

        self._run(test)

    def test_an_id_is_known_to_all_as_soon_as_it_is_told(self) -> None:
        """It stands for an event that others may not have heard of yet."""

        async def test(four: Sequence[OneFeed]) -> None:
            for number in range(40):
                last = await four[number % 4].add(number)
                again = await four[(number + 1) % 4].poll(last, timeout=0.001)
                assert again == Polled([], last)

        self._run(test)

    def test_who_waits_is_woken_in_every_process(self) -> None:
        """By one event of one of them."""

        async def test(four: Sequence[OneFeed]) -> None:
            start = await four[0].add(0)
            waiting = [asyncio.ensure_future(each.poll(start, timeout=PATIENCE)) for each in four]
            await asyncio.sleep(0)
            said = await four[3].add(7)
            assert await asyncio.gather(*waiting) == [Polled([7], said)] * 4

        self._run(test)

    def test_it_is_streamed_from_each(self) -> None:
        """What was, and what comes."""

        async def test(four: Sequence[OneFeed]) -> None:
            ids = [await four[0].add(0), await four[1].add(1)]
            streams = [asyncio.ensure_future(each.some(ids[0], 3)) for each in four]
            await asyncio.sleep(0)
            ids += [await four[2].add(2), await four[3].add(3)]
            for each in streams:
                assert await each == [(None, known) for known in ids[1:]]

        self._run(test)

    def test_what_was_too_long_ago_is_lost_in_all(self) -> None:
        """And they know the same of what came since."""

        async def test(four: Sequence[OneFeed]) -> None:
            first = await four[0].add(0)
            for number in range(1, KEEP + 10):
                last = await four[number % 4].add(number)
            for each in four:
                # It has heard of all of them.
                assert await each.poll(last, timeout=0.001) == Polled([], last)
                kept = [*range(10, KEEP + 10)]
                polled = await each.poll(first, timeout=0.001)
                assert (polled.events, polled.last, polled.lost) == (kept, last, True)
                assert (await each.some(first, 1))[0][0] == "lost"

        self._run(test)

    def test_an_id_of_another_run_is_lost_in_all(self) -> None:
        """They begin with what happens now."""

        async def test(four: Sequence[OneFeed]) -> None:
            for each in four:
                assert (await each.poll("1-1", timeout=PATIENCE)).lost

        self._run(test)

    def _run(self, test: Callable[[Sequence[OneFeed]], Awaitable[None]]) -> None:
        async def run() -> None:
            async with asyncio.timeout(2 * PATIENCE), self.feeds() as four:
                await test(four)

        asyncio.run(run())


async def collected(feed: OneFeed, after: str, count: int) -> list[int]:
    """So many events behind an id, however often has to be asked for them, and no more."""
    found: list[int] = []
    while len(found) < count:
        polled = await feed.poll(after, timeout=PATIENCE)
        assert not polled.lost
        assert polled.events
        found += polled.events
        after = polled.last
    return found
