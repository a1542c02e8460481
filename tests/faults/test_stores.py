"""What is kept in this host's memory, among four real workers: each passes its conformance class, and each operation is a request to another worker."""

from __future__ import annotations

import asyncio
import base64
import itertools
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kingpost.channels import ChannelStore, Deliver
from kingpost.feeds import Polled
from kingpost.middleware.rate_limit import Count, RateStore
from kingpost.testing import ChannelStoreConformance, RateStoreConformance
from tests.faults import stores
from tests.faults.program import Program, running
from tests.faults.workers import Worker, workers
from tests.unit.feeds.conformance import KEEP, FeedConformance, OneFeed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="each worker is found by its turn")

WORKERS = 4


class Service:
    """The one that has the stores, and which of them are unused."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rates = itertools.count()
        self.channels = itertools.count()
        self.feeds = itertools.count()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("stores")
    (folder / "app.py").write_bytes(Path(stores.__file__).read_bytes())
    # Connections are kept for as long as a test thinks.
    options = ("--port", "0", "--workers", str(WORKERS), "--limit", "idle_timeout=600")
    with running(folder, "run", *options) as program:
        program.until_said(r"ready on http://127.0.0.1:\d+ \(production, 4 workers\)")
        yield Service(program)
        assert "Traceback" not in program.said


class Served:
    """A conformance class that has the service."""

    @pytest.fixture(autouse=True)
    def _served(self, service: Service) -> None:
        self.service = service

    @asynccontextmanager
    async def each_worker(self) -> AsyncGenerator[Sequence[Worker]]:
        async with workers(self.service.program.port, WORKERS) as four:
            yield four


class RateStoreOfAWorker:
    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._number = number

    async def hit(self, key: str, window: float, /) -> Count:
        return Count(*await self._worker.ask(f"/rates/{self._number}/hit", [key, window]))


class TestMemoryRateStoreOfFourWorkers(Served, RateStoreConformance):
    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[Sequence[RateStore]]:
        number = next(self.service.rates)
        async with self.each_worker() as four:
            yield [RateStoreOfAWorker(each, number) for each in four]


class ChannelStoreOfAWorker:
    """Delivers what the worker's store has delivered there."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._path = f"/channels/{number}"
        self._heard = 0
        self._more = asyncio.Condition()
        self._hearing: asyncio.Task[None] | None = None

    async def start(self, deliver: Deliver) -> None:
        await self._ask("start")
        self._hearing = asyncio.ensure_future(self._hear(deliver))

    async def stop(self) -> None:
        await self._ask("stop")

    async def publish(self, channel: str, message: bytes) -> None:
        count = await self._ask("publish", [channel, base64.b64encode(message).decode()])
        # Its own worker has delivered by now whatever it delivers: here as well, so that nothing is overlooked.
        async with self._more:
            await self._more.wait_for(lambda: self._heard >= count)

    async def subscribe(self, channel: str) -> None:
        await self._ask("subscribe", channel)

    async def unsubscribe(self, channel: str) -> None:
        await self._ask("unsubscribe", channel)

    async def _ask(self, what: str, arguments: object = None) -> Any:
        return await self._worker.ask(f"{self._path}/{what}", arguments)

    async def _hear(self, deliver: Deliver) -> None:
        while True:
            messages = await self._ask("heard", self._heard)
            async with self._more:
                for channel, message in messages:
                    deliver(channel, base64.b64decode(message))
                self._heard += len(messages)
                self._more.notify_all()

    def end(self) -> None:
        """Hear no more, though the worker's store may still deliver."""
        if self._hearing is not None:
            self._hearing.cancel()


class TestMemoryStoreOfFourWorkers(Served, ChannelStoreConformance):
    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[Sequence[ChannelStore]]:
        number = next(self.service.channels)
        async with self.each_worker() as four:
            found = [ChannelStoreOfAWorker(each, number) for each in four]
            try:
                yield found
            finally:
                for each in found:
                    each.end()


class FeedOfAWorker:
    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._path = f"/feeds/{number}"

    async def add(self, number: int, /) -> str:
        return str(await self._worker.ask(f"{self._path}/add", number))

    async def poll(
        self,
        after: str | None = None,
        /,
        *,
        timeout: float,  # noqa: ASYNC109 - as of a feed
    ) -> Polled[int]:
        said = await self._worker.ask(f"{self._path}/poll", [after, timeout])
        return msgspec.convert(said, Polled[int])

    async def some(self, after: str | None, count: int, /) -> list[tuple[str | None, str | None]]:
        said = await self._worker.ask(f"{self._path}/some", [after, count])
        return [(event, known) for event, known in said]


class TestFeedsOfFourWorkers(Served, FeedConformance):
    @asynccontextmanager
    async def feeds(self) -> AsyncGenerator[Sequence[OneFeed]]:
        number = next(self.service.feeds)
        async with self.each_worker() as four:
            yield [FeedOfAWorker(each, number) for each in four]


def test_the_service_keeps_as_much_as_the_tests_say() -> None:
    assert stores.KEEP == KEEP
