# ruff: noqa: S101 - these are tests
"""`ChannelStoreConformance`: what every store of channels has to do, as tests to inherit."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

from kingpost.channels.store import ChannelStore

PATIENCE: Final = 60.0
"""Seconds that a message may take on a machine that is busy with other things."""


class Listener:
    """One process: its store, and what that has delivered."""

    def __init__(self, store: ChannelStore) -> None:
        self.store = store
        self.heard: list[tuple[str, bytes]] = []
        self._news = asyncio.Event()

    def deliver(self, channel: str, message: bytes) -> None:
        self.heard.append((channel, message))
        self._news.set()

    async def until(self, count: int) -> list[tuple[str, bytes]]:
        """What was delivered, once that are `count` messages."""
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) < count:
                self._news.clear()
                await self._news.wait()
        return self.heard


class ChannelStoreConformance(ABC):
    """Tests of a `ChannelStore`, for pytest: a subclass gives the stores, and is called `Test…`."""

    @abstractmethod
    def stores(self) -> AbstractAsyncContextManager[Sequence[ChannelStore]]:
        """Four stores of one service that are not started yet, each as in a process of its own."""

    def test_a_message_reaches_every_process_once(self) -> None:
        """A publisher hears itself as well."""

        async def test(four: Sequence[Listener]) -> None:
            for each in four:
                await each.store.subscribe("news")
            for number, each in enumerate(four):
                await each.store.publish("news", b"%d" % number)
            for each in four:
                heard = await each.until(4)
                assert sorted(heard) == [("news", b"%d" % number) for number in range(4)]

        self._run(test)

    def test_messages_of_one_publisher_keep_their_order(self) -> None:
        """In its own process and in others."""

        async def test(four: Sequence[Listener]) -> None:
            for each in four:
                await each.store.subscribe("count")
            sent = [b"%d" % number for number in range(200)]
            for message in sent:
                await four[0].store.publish("count", message)
            for each in four:
                assert [message for _, message in await each.until(200)] == sent

        self._run(test)

    def test_only_what_is_subscribed_is_delivered(self) -> None:
        """Other channels are not."""

        async def test(four: Sequence[Listener]) -> None:
            first, second, *_ = four
            await second.store.subscribe("a")
            await first.store.publish("b", b"other")
            await first.store.publish("a", b"mine")
            assert await second.until(1) == [("a", b"mine")]
            assert first.heard == []

        self._run(test)

    def test_what_is_unsubscribed_is_not_delivered_any_more(self) -> None:
        """Until it is subscribed again."""

        async def test(four: Sequence[Listener]) -> None:
            first, second, *_ = four
            for channel in ("a", "end"):
                await second.store.subscribe(channel)
            await second.store.unsubscribe("a")
            await first.store.publish("a", b"missed")
            await first.store.publish("end", b"1")
            assert await second.until(1) == [("end", b"1")]
            await second.store.subscribe("a")
            await first.store.publish("a", b"again")
            assert (await second.until(2))[1:] == [("a", b"again")]

        self._run(test)

    def test_names_and_messages_may_be_anything(self) -> None:
        """Any text is a name, and any bytes are a message: none at all, and a large one."""

        async def test(four: Sequence[Listener]) -> None:
            first, second, *_ = four
            sent = [
                ("é:✓ *", b""),
                ("x" * 255, bytes(range(256))),
                ("*", b"\0\xff"),
                ("a", b"z" * 1_000_000),
            ]
            for channel, _ in sent:
                await second.store.subscribe(channel)
            for channel, message in sent:
                await first.store.publish(channel, message)
            assert await second.until(len(sent)) == sent

        self._run(test)

    def test_who_has_stopped_hears_nothing(self) -> None:
        """And may stop again."""

        async def test(four: Sequence[Listener]) -> None:
            first, second, third, _ = four
            for each in (second, third):
                await each.store.subscribe("a")
            await second.store.stop()
            await second.store.stop()
            await first.store.publish("a", b"1")
            assert await third.until(1) == [("a", b"1")]
            assert second.heard == []

        self._run(test)

    def _run(self, test: Callable[[Sequence[Listener]], Awaitable[None]]) -> None:
        async def run() -> None:
            async with self._started() as four:
                await test(four)

        asyncio.run(run())

    @asynccontextmanager
    async def _started(self) -> AsyncGenerator[Sequence[Listener]]:
        async with self.stores() as stores, AsyncExitStack() as stack:
            four = [Listener(store) for store in stores]
            for each in four:
                await each.store.start(each.deliver)
                stack.push_async_callback(each.store.stop)
            yield four
