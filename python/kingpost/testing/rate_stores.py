# ruff: noqa: S101 - these are tests
"""`RateStoreConformance`: what every store of rates has to do, as tests to inherit."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from kingpost.middleware.rate_limit import RateStore


class RateStoreConformance(ABC):
    """Tests of a `RateStore`, for pytest: a subclass gives the stores, and is called `Test…`."""

    @abstractmethod
    def stores(self) -> AbstractAsyncContextManager[Sequence[RateStore]]:
        """Four stores of one service, each as in a process of its own, that have counted nothing."""

    def test_processes_count_together(self) -> None:
        """A request for each in turn."""

        async def test(four: Sequence[RateStore]) -> None:
            hits = [(await four[number % 4].hit("key", 60)).hits for number in range(40)]
            assert hits == list(range(1, 41))

        self._run(test)

    def test_requests_that_come_at_once_are_counted_once_each(self) -> None:
        """None is lost, and none is counted twice."""

        async def test(four: Sequence[RateStore]) -> None:
            counts = await asyncio.gather(*(four[n % 4].hit("key", 60) for n in range(200)))
            assert sorted(count.hits for count in counts) == list(range(1, 201))

        self._run(test)

    def test_keys_are_counted_apart(self) -> None:
        """Any text is a key."""

        async def test(four: Sequence[RateStore]) -> None:
            keys = ["", " ", "ü", "\x00", "a:b", "a" * 1_000]
            for times in (1, 2):
                assert [(await four[0].hit(key, 60)).hits for key in keys] == [times] * len(keys)

        self._run(test)

    def test_a_window_that_goes_on_has_time_left_and_does_not_begin_anew(self) -> None:
        """What is left only gets less."""

        async def test(four: Sequence[RateStore]) -> None:
            first = await four[0].hit("key", 60)
            second = await four[1].hit("key", 60)
            assert 0 < second.left <= first.left <= 60.5

        self._run(test)

    def test_a_window_that_has_ended_is_followed_by_a_new_one(self) -> None:
        """It begins with the first hit after that."""

        async def test(four: Sequence[RateStore]) -> None:
            await four[0].hit("key", 0.05)
            count = await four[1].hit("key", 0.05)
            await asyncio.sleep(count.left + 0.05)
            assert (await four[2].hit("key", 0.05)).hits == 1

        self._run(test)

    def _run(self, test: Callable[[Sequence[RateStore]], Awaitable[None]]) -> None:
        async def run() -> None:
            async with self.stores() as four:
                await test(four)

        asyncio.run(run())
