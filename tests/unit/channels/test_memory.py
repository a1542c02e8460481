"""The memory store: alone, among workers that are objects here, and over the bus that real ones have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from kingpost.channels import ChannelStore, MemoryStore
from kingpost.server.shared import Bus, Shared, Workshop
from kingpost.testing import ChannelStoreConformance


class Line:
    """A bus of one process, as the workers' bus is for many: everybody hears the others."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.listeners: list[Callable[[bytes], None]] = []

    def send(self, kind: str, payload: bytes) -> None:
        for line in self.lines:
            if line is not self:
                for receive in line.listeners:
                    receive(payload)

    def listen(self, kind: str, receive: Callable[[bytes], None]) -> Callable[[], None]:
        self.listeners.append(receive)
        return lambda: self.listeners.remove(receive)


class TestMemoryStore(ChannelStoreConformance):
    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[Sequence[ChannelStore]]:
        lines: list[Line] = []
        lines += [Line(lines) for _ in range(4)]
        yield [MemoryStore(bus=line) for line in lines]


class TestMemoryStoreOverTheBus(ChannelStoreConformance):
    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[Sequence[ChannelStore]]:
        workshop = Workshop(4)
        try:
            buses = [Bus(workshop.counters, workshop._lanes, 2 * slot) for slot in range(4)]
            for bus in buses:
                bus.open(asyncio.get_running_loop())
            yield [MemoryStore(bus=bus) for bus in buses]
            for bus in buses:
                bus.close()
        finally:
            workshop.close()


def test_a_store_that_is_not_started_publishes_nothing() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        asyncio.run(MemoryStore().publish("news", b"rain"))


def test_without_a_bus_of_its_own_it_takes_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, bytes]] = []
    used: list[str] = []

    class Noted(Bus):
        def send(self, kind: str, payload: bytes) -> None:
            used.append(kind)

    shared = Shared(0, 0, None, Noted())
    monkeypatch.setattr("kingpost.server.shared.here", lambda: shared)

    async def test() -> None:
        store = MemoryStore()
        await store.start(lambda *each: heard.append(each))
        await store.subscribe("news")
        await store.publish("news", b"rain")
        await store.stop()

    asyncio.run(test())

    assert (heard, used) == ([("news", b"rain")], ["channels"])
