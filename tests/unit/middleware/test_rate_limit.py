"""So many requests in so much time: exactly, for each client, in bounded memory."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import threading
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kingpost import App, Request
from kingpost.errors import ConfigurationError
from kingpost.http.counting import count_together
from kingpost.middleware import Count, MemoryRateStore, RateLimit, RateStore, TrustedProxies
from kingpost.middleware.rate_limit import client_key, parsed_rate
from kingpost.server.shared import Workshop
from kingpost.testing import AsyncTestClient, RateStoreConformance, TestClient
from tests.unit.http.sample import sample


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def app_with(*limits: RateLimit, proxies: bool = False) -> App:
    app = App(middleware=[*([TrustedProxies(["127.0.0.1"])] if proxies else []), *limits])

    @app.get("/")
    async def home() -> str:
        await asyncio.sleep(0)
        return "home"

    return app


def test_what_is_left_is_said_and_more_is_refused() -> None:
    clock = Clock()
    limit = RateLimit("2/minute", store=MemoryRateStore(clock=clock))
    client = TestClient(app_with(limit))

    def asked() -> tuple[int, str, str]:
        response = client.get("/")
        return response.status, response.headers["ratelimit"], response.headers["ratelimit-policy"]

    policy = '"default";q=2;w=60'
    assert asked() == (200, '"default";r=1;t=60', policy)
    clock.now += 20.5
    assert asked() == (200, '"default";r=0;t=40', policy)
    assert asked() == (429, '"default";r=0;t=40', policy)
    refused = client.get("/")
    assert refused.headers["retry-after"] == "40"
    assert refused.json()["code"] == "too-many-requests"
    clock.now += 39.5
    assert asked() == (200, '"default";r=1;t=60', policy)


def test_requests_that_come_at_once_are_counted_exactly() -> None:
    app = app_with(RateLimit("100/hour"))

    async def storm() -> list[int]:
        async with AsyncTestClient(app) as client:
            return [r.status for r in await asyncio.gather(*(client.get("/") for _ in range(250)))]

    statuses = asyncio.run(storm())

    assert (statuses.count(200), statuses.count(429)) == (100, 150)


def test_threads_count_exactly() -> None:
    store = MemoryRateStore()

    def count() -> None:
        for _ in range(2_000):
            store.count("key", 60)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.count("key", 60).hits == 16_001


def test_errors_and_unknown_addresses_count_too() -> None:
    client = TestClient(app_with(RateLimit("1/minute")))

    assert client.get("/none").status == 404
    assert client.get("/").status == 429


def test_each_client_has_its_own_count() -> None:
    client = TestClient(app_with(RateLimit("1/minute"), proxies=True))

    def asked(address: str) -> int:
        return client.get("/", headers={"x-forwarded-for": address}).status

    assert [asked("203.0.113.7"), asked("203.0.113.7"), asked("203.0.113.8")] == [200, 429, 200]
    # One subscriber has all of a /64.
    assert [asked("2001:db8::1"), asked("2001:db8::ffff"), asked("2001:db8:0:1::1")] == [
        200,
        429,
        200,
    ]


def test_nobody_gets_another_count_by_saying_who_he_is() -> None:
    client = TestClient(app_with(RateLimit("1/minute")))
    statuses = [
        client.get("/", headers={"x-forwarded-for": f"203.0.113.{n}"}).status for n in range(3)
    ]

    assert statuses == [200, 429, 429]


def test_a_key_of_ones_own() -> None:
    def key(request: Request) -> str | None:
        found: str | None = request.headers.get("x-key")
        return found

    client = TestClient(app_with(RateLimit("1/minute", key=key)))

    def asked(**headers: str) -> int:
        return client.get("/", headers=headers).status

    assert [asked(), asked(), asked()] == [200, 200, 200]
    assert [client.get("/", headers={"x-key": k}).status for k in "aab"] == [200, 429, 200]
    assert "ratelimit" not in client.get("/").headers


def test_two_rules_in_one_store_do_not_share_counts() -> None:
    store = MemoryRateStore()
    client = TestClient(
        app_with(
            RateLimit("2/minute", name="burst", store=store),
            RateLimit("5/minute", name="hour", store=store),
        )
    )
    response = client.get("/")

    assert response.headers.get_all("ratelimit") == ['"hour";r=4;t=60', '"burst";r=1;t=60']
    assert len(store) == 2


def test_who_has_no_address_is_one_client_and_that_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    limit = RateLimit("1/minute")
    request = sample(client=None)

    async def next_one(request: Request) -> Any:
        return TestClient

    async def twice() -> None:
        for _ in range(2):
            try:
                await limit(request, next_one)
            except Exception:  # noqa: BLE001, S112 - only the warning is looked at
                continue

    asyncio.run(twice())

    assert [record.name for record in caplog.records] == ["kingpost.middleware"]
    assert "TrustedProxies" in caplog.text


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (None, ""),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_whom_an_address_stands_for(client: str | None, key: str) -> None:
    assert client_key(sample(client=client)) == key


# -- the store


@pytest.mark.skipif(os.name != "posix", reason="workers are forked")
class TestMemoryRateStoreOfWorkers(RateStoreConformance):
    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[Sequence[RateStore]]:
        workshop = Workshop(4)
        count_together(workshop.counters)
        try:
            # Workers are copies of one process.
            store = MemoryRateStore()
            yield [copy.copy(store) for _ in range(4)]
        finally:
            count_together(None)
            workshop.close()


class TestMemoryRateStore(RateStoreConformance):
    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[Sequence[RateStore]]:
        store = MemoryRateStore()
        yield [store] * 4

    def test_a_window_begins_with_its_first_hit(self) -> None:
        clock = Clock()
        store = MemoryRateStore(clock=clock)
        store.count("a", 10)
        clock.now += 9.99
        assert store.count("a", 10).hits == 2
        clock.now += 0.01
        assert store.count("a", 10) == Count(1, 10)

    def test_keys_are_bounded(self) -> None:
        store = MemoryRateStore(keys=100)
        for number in range(10_000):
            store.count(str(number), 60)

        assert len(store) == 100
        assert store.count("9999", 60).hits == 2
        assert store.count("0", 60).hits == 1

    def test_what_has_ended_is_forgotten(self) -> None:
        clock = Clock()
        store = MemoryRateStore(clock=clock)
        for number in range(1_000):
            store.count(str(number), 10)
        clock.now += 11
        for number in range(500):
            store.count(f"new {number}", 10)

        assert len(store) == 500

    def test_it_is_a_store(self) -> None:
        class Mine:
            def hit(self, key: str, window: float, /) -> Awaitable[Count]:
                raise NotImplementedError

        assert isinstance(RateLimit("1/day", store=Mine()), RateLimit)


# -- what is refused


@pytest.mark.parametrize(
    ("rate", "parsed"),
    [
        ("100/minute", (100, 60)),
        ("1 / second", (1, 1)),
        ("20/15 minutes", (20, 900)),
        ("5/2hours", (5, 7200)),
        ("1000/Day", (1000, 86_400)),
    ],
)
def test_rates(rate: str, parsed: tuple[int, int]) -> None:
    assert parsed_rate(rate) == parsed


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("rate-limit.bad-rate", {"rate": "100"}),
        ("rate-limit.bad-rate", {"rate": "0/minute"}),
        ("rate-limit.bad-rate", {"rate": "1/0 minutes"}),
        ("rate-limit.bad-rate", {"rate": "1/fortnight"}),
        ("rate-limit.bad-rate", {"rate": "-1/minute"}),
        ("rate-limit.bad-rate", {"rate": 100}),
        ("rate-limit.bad-name", {"rate": "1/minute", "name": 'a"b'}),
        ("rate-limit.bad-name", {"rate": "1/minute", "name": "a:b"}),
        ("rate-limit.bad-name", {"rate": "1/minute", "name": ""}),
        ("rate-limit.bad-key", {"rate": "1/minute", "key": "x-key"}),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(code: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as error:
        RateLimit(**arguments)

    assert error.value.code == code
