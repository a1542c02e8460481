"""Feeds: followed by server-sent events and by long polling, resumed, and shared by workers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kingpost import App, EventStream, Request, Struct, limits
from kingpost.feeds import Feed, Polled, feed
from kingpost.http import Event
from kingpost.testing import TestClient
from kingpost.testing.client import StreamedResponse
from tests.waiting import PATIENCE, until, until_async


class Goal(Struct):
    team: str
    minute: int = 1


@asynccontextmanager
async def opened(*feeds: Feed[Any]) -> AsyncIterator[None]:
    """As the App's lifespan does."""
    lifespans = [each._open() for each in feeds]
    for each in lifespans:
        await anext(each)
    try:
        yield
    finally:
        for each in lifespans:
            await anext(each, None)


class Wire:
    """A bus between feeds of one process, which stand for as many workers."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[bytes], None]] = []
        self.is_cut = False

    def shared(self, counters: Any) -> Any:
        wire = self

        class Bus:
            own: Any = None

            def send(self, kind: str, payload: bytes) -> None:
                for each in wire.listeners:
                    if each is not self.own and not wire.is_cut:
                        each(payload)

            def listen(self, kind: str, receive: Callable[[bytes], None]) -> Callable[[], None]:
                self.own = receive
                wire.listeners.append(receive)
                return lambda: wire.listeners.remove(receive)

        class Shared:
            workers = 2
            bus = Bus()

        Shared.counters = counters  # type: ignore[attr-defined]  # the stand-in, made a line above
        return Shared()


async def some(source: AsyncIterator[Event[Any]], count: int) -> list[tuple[Any, str | None]]:
    """The first events that have data, with their names."""
    found: list[tuple[Any, str | None]] = []
    async with asyncio.timeout(PATIENCE):
        async for each in source:
            if "retry" not in repr(each):
                found.append((each.data, each.event))
            if len(found) == count:
                return found
    raise AssertionError("the feed has ended")


def test_who_follows_sees_what_happens_in_order() -> None:
    async def main() -> None:
        goals = Feed("goals", Goal)
        async with opened(goals):
            goals.add(Goal("before"))
            following = asyncio.create_task(some(goals.events(), 2))
            await until_async(lambda: goals._changed is not None)
            goals.add(Goal("red"))
            goals.add(Goal("blue"), event="goal")

            assert await following == [(Goal("red"), None), (Goal("blue"), "goal")]

    asyncio.run(main())


def test_who_comes_back_is_sent_what_it_has_missed() -> None:
    async def main() -> None:
        goals = Feed("goals", Goal)
        async with opened(goals):
            ids = [goals.add(Goal(team)) for team in ("red", "blue", "green")]

            assert await some(goals.events(ids[0]), 2) == [
                (Goal("blue"), None),
                (Goal("green"), None),
            ]
            assert await goals.poll(ids[1]) == Polled([Goal("green")], ids[2])

    asyncio.run(main())


def test_who_is_new_is_sent_the_last_ones_where_that_was_said() -> None:
    async def main() -> None:
        goals = Feed("goals", Goal, replay=1)
        async with opened(goals):
            for team in ("red", "blue"):
                goals.add(Goal(team))

            assert await some(goals.events(), 1) == [(Goal("blue"), None)]
            assert (await goals.poll()).events == [Goal("blue")]
            assert (await goals.poll("")).events == [Goal("blue")]

    asyncio.run(main())


def test_the_first_thing_sent_is_an_id_to_come_back_with() -> None:
    async def main() -> None:
        goals = Feed("goals", Goal)
        async with opened(goals):
            last = goals.add(Goal("red"))
            first = await anext(goals.events())

            assert (first.id, first.retry) == (last, 2_000)

    asyncio.run(main())


@pytest.mark.parametrize("after", ["0-1", "nonsense", "-1", "ffff-99999999999999999999", "ä-1"])
def test_an_id_of_another_run_or_of_nobody_is_told_that_something_is_lost(after: str) -> None:
    async def main() -> None:
        goals = Feed("goals", Goal)
        async with opened(goals):
            assert await some(goals.events(after), 1) == [("", "lost")]
            assert await goals.poll(after) == Polled([], goals._id(goals._log.last), lost=True)

    asyncio.run(main())


def test_an_id_of_the_time_to_come_was_made_up() -> None:
    async def main() -> None:
        goals = Feed("goals", Goal)
        async with opened(goals):
            run, number = goals.add(Goal("red")).split("-")

            assert (await goals.poll(f"{run}-{int(number) + 5}")).lost

    asyncio.run(main())


def test_who_is_too_slow_is_told_and_goes_on() -> None:
    async def main() -> None:
        goals = Feed("goals", int, keep=2)
        async with opened(goals):
            first = goals.add(0)
            following = goals.events(first)
            await anext(following)
            for number in range(1, 6):
                goals.add(number)

            assert await some(following, 3) == [("", "lost"), (4, None), (5, None)]
            assert await goals.poll(first) == Polled([4, 5], goals._id(goals._log.last), lost=True)

    asyncio.run(main())


def test_a_poll_waits_until_something_happens() -> None:
    async def main() -> None:
        goals = Feed("goals", Goal)
        async with opened(goals):
            start = (await goals.poll(timeout=0.01)).last
            waiting = asyncio.create_task(goals.poll(start, timeout=PATIENCE))
            await until_async(lambda: goals._changed is not None)
            last = goals.add(Goal("red"))

            assert await waiting == Polled([Goal("red")], last)

    asyncio.run(main())


def test_a_poll_to_which_nothing_happens_says_where_it_stands() -> None:
    async def main() -> None:
        goals = Feed("goals", Goal)
        async with opened(goals):
            last = goals.add(Goal("red"))

            assert await goals.poll(last, timeout=0.01) == Polled([], last)

    asyncio.run(main())


def test_one_that_gives_up_does_not_end_the_wait_of_another() -> None:
    async def main() -> None:
        goals = Feed("goals", int)
        async with opened(goals):
            long = asyncio.create_task(goals.poll(timeout=PATIENCE))
            assert (await goals.poll(timeout=0.01)).events == []
            goals.add(1)

            assert (await long).events == [1]

    asyncio.run(main())


def test_events_are_added_from_any_thread() -> None:
    async def main() -> None:
        goals = Feed("goals", int)
        async with opened(goals):
            waiting = asyncio.create_task(goals.poll(timeout=PATIENCE))
            await until_async(lambda: goals._changed is not None)
            await asyncio.to_thread(goals.add, 7)

            assert (await waiting).events == [7]

    asyncio.run(main())


def test_an_event_of_another_type_is_refused_where_it_is_added() -> None:
    async def main() -> None:
        goals = Feed("goals", Goal)
        async with opened(goals):
            with pytest.raises(TypeError, match="is no <class"):
                goals.add({"team": 7})  # type: ignore[arg-type]  # the mistake itself
            with pytest.raises(ValueError, match="ends the field"):
                goals.add(Goal("red"), event="a\nb")
            assert (await goals.poll(timeout=0.01)).events == []

    asyncio.run(main())


def test_an_event_has_as_many_bytes_as_it_may_and_not_one_more() -> None:
    async def main() -> None:
        texts = Feed("texts", str)
        async with opened(texts):
            texts.add("x" * (limits.FEED_EVENT_BYTES - 2))
            with pytest.raises(ValueError, match="1048576 at most"):
                texts.add("x" * (limits.FEED_EVENT_BYTES - 1))

    asyncio.run(main())


def test_a_feed_that_nobody_serves_says_so() -> None:
    goals = Feed("goals", Goal)

    with pytest.raises(RuntimeError, match=r"Feed\('goals'\) is not served: install it"):
        goals.add(Goal("red"))
    with pytest.raises(RuntimeError, match="is not served"):
        asyncio.run(goals.poll())


def in_workers(monkeypatch: pytest.MonkeyPatch, count: int) -> tuple[Wire, list[Feed[int]]]:
    """As many feeds of one name, which are opened in this order, each with its own place on one bus."""
    from kingpost import _native

    wire, counters = Wire(), _native.Counters()
    places = iter([wire.shared(counters) for _ in range(count)])
    monkeypatch.setattr(feed, "here", places.__next__)
    return wire, [Feed("numbers", int) for _ in range(count)]


def test_what_is_added_in_one_worker_is_seen_by_the_followers_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, (one, two) = in_workers(monkeypatch, 2)

    async def main() -> None:
        async with opened(one, two):
            ids = [one.add(1), two.add(2), one.add(3)]

            assert (await two.poll(ids[0])).events == [2, 3]
            assert (await one.poll(ids[0])).events == [2, 3]
            assert (await one.poll(ids[2], timeout=0.01)).last == ids[2]

    asyncio.run(main())


def test_a_worker_that_starts_later_is_told_by_the_others_what_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, (one, two) = in_workers(monkeypatch, 2)

    async def main() -> None:
        async with opened(one):
            ids = [one.add(number) for number in (1, 2, 3)]
            async with opened(two):
                assert await two.poll(ids[0]) == Polled([2, 3], two._id(two._log.last))

    asyncio.run(main())


def test_an_event_whose_sender_died_holds_up_the_others_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "PATIENCE", 0.01)
    wire, (one, two) = in_workers(monkeypatch, 2)

    async def main() -> None:
        async with opened(one, two):
            start = (await two.poll(timeout=0.01)).last
            wire.is_cut = True
            one.add(1)
            wire.is_cut = False
            one.add(2)

            assert (await two.poll(start, timeout=PATIENCE)).events == [2]

    asyncio.run(main())


def first_lines(answer: StreamedResponse, count: int) -> list[str]:
    text = ""
    for chunk in answer:
        text += chunk.decode()
        if text.count("\n") >= count:
            return text.splitlines()[:count]
    raise AssertionError(text)


def test_it_is_followed_over_http_both_ways() -> None:
    goals = Feed("goals", Goal)
    app = App(plugins=[goals])

    @app.get("/live")
    async def live(request: Request) -> EventStream[Goal]:
        return goals.stream(request)

    @app.get("/since")
    async def since(after: str = "") -> Polled[Goal]:
        return await goals.poll(after, timeout=PATIENCE)

    with TestClient(app) as client:
        first = goals.add(Goal("red"))
        goals.add(Goal("blue"), event="goal")
        polled = client.get(f"/since?after={first}").json()
        with client.stream("GET", "/live", headers={"last-event-id": first}) as answer:
            text = first_lines(answer, 7)

    assert polled["events"] == [{"team": "blue", "minute": 1}]
    assert text[0] == f"id: {first}"
    assert text[3:6] == ["event: goal", f"id: {polled['last']}", 'data: {"team":"blue","minute":1}']


def test_a_client_that_leaves_is_noticed_though_nothing_happens() -> None:
    left = threading.Event()
    goals = Feed("goals", Goal)
    app = App(plugins=[goals])

    async def watched(source: AsyncIterator[Event[Goal]]) -> AsyncIterator[Event[Goal]]:
        try:
            async for each in source:
                yield each
        finally:
            left.set()

    @app.get("/live")
    async def live() -> EventStream[Goal]:
        # Were it noticed by the comment alone, it would take an hour.
        return EventStream(watched(goals.events()), ping=3600)

    with TestClient(app) as client:
        with client.stream("GET", "/live") as answer:
            first_lines(answer, 1)
            assert not left.is_set()
        until(left.is_set)
