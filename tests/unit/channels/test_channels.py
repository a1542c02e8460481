"""Channels as handlers use them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from kingpost import App, Struct, WebSocket, from_thread, limits
from kingpost.channels import ChannelError, Channels, MemoryStore
from kingpost.checks import Metrics
from kingpost.errors import ConfigurationError
from kingpost.schema import Private
from kingpost.testing import AsyncTestClient, TestClient


class News(Struct):
    text: str
    source: Annotated[str, Private()] = "ann"


@dataclass
class Point:
    x: int


def served(channels: Channels) -> App:
    app = App(plugins=[channels, Metrics()])

    @app.websocket("/{name}")
    async def listen(ws: WebSocket, name: str, channels: Channels) -> None:
        async with channels.join(name, ws):
            async for message in ws:
                await channels.publish(name, message)

    return app


def within(channels: Channels, test: Callable[[], Awaitable[None]]) -> None:
    """Run a test while an App with these channels serves."""

    async def run() -> None:
        async with AsyncTestClient(served(channels)):
            await test()

    asyncio.run(run())


# -- programs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "received"),
    [
        (str, "rain", "rain"),
        (str, "", ""),
        (bytes, b"\0\xff", b"\0\xff"),
        (bytes, bytearray(b"x"), b"x"),
        (News, News("rain", "bob"), News("rain")),
        (Point, Point(3), Point(3)),
        (dict, {"a": [1, None]}, {"a": [1, None]}),
        (list[int], [1, 2], [1, 2]),
        (int, 5, 5),
        (bytes | News, News("rain"), News("rain")),
        (bytes | News, b"x", b"x"),
        (Any, News("rain"), {"text": "rain"}),
        (object, "rain", "rain"),
    ],
)
def test_what_is_published_is_received(kind: Any, value: Any, received: Any) -> None:
    channels = Channels()

    async def test() -> None:
        async with channels.subscribe("a", kind) as first, channels.subscribe("a", kind) as second:
            await channels.publish("b", "elsewhere")
            await channels.publish("a", value)
            assert [await anext(first), await anext(second)] == [received, received]

    within(channels, test)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (str, News("rain"), "JSON was published"),
        (News, "rain", "a text was published"),
        (News, b"rain", "bytes was published"),
        (bytes, "rain", "a text was published"),
        (News, {"text": 5}, "1 value was refused"),
    ],
)
def test_what_is_of_another_type_is_raised_and_passed_over(
    kind: Any, value: Any, words: str
) -> None:
    channels = Channels()

    async def test() -> None:
        async with channels.subscribe("a", kind) as heard:
            await channels.publish("a", value)
            with pytest.raises(ChannelError, match=words) as error:
                await anext(heard)
            assert error.value.code == "channels.wrong-message"
            await channels.publish("a", {str: "x", bytes: b"x", News: News("x")}[kind])
            assert await anext(heard) in ("x", b"x", News("x"))

    within(channels, test)


def test_who_is_slow_misses_the_oldest_and_is_told_how_many() -> None:
    channels = Channels(queue=3)

    async def test() -> None:
        async with channels.subscribe("a", int) as slow:
            for number in range(3):
                await channels.publish("a", number)
            assert slow.missed == 0
            for number in range(3, 5):
                await channels.publish("a", number)
            assert slow.missed == 2
            assert [await anext(slow) for _ in range(3)] == [2, 3, 4]

    within(channels, test)


def test_one_that_waits_is_woken_and_one_that_was_cancelled_waits_again() -> None:
    channels = Channels()

    async def test() -> None:
        async with channels.subscribe("a", str) as heard:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(heard), 0.001)
            waiting = asyncio.ensure_future(anext(heard))
            await asyncio.sleep(0)
            await channels.publish("a", "rain")
            assert await waiting == "rain"

    within(channels, test)


def test_a_channel_is_subscribed_in_the_store_while_somebody_listens() -> None:
    asked: list[str] = []

    class Noted(MemoryStore):
        async def subscribe(self, channel: str) -> None:
            asked.append(f"+{channel}")
            await asyncio.sleep(0)
            await super().subscribe(channel)

        async def unsubscribe(self, channel: str) -> None:
            asked.append(f"-{channel}")
            await asyncio.sleep(0)
            await super().unsubscribe(channel)

    channels = Channels(Noted())

    async def once() -> None:
        async with channels.subscribe("a", str) as heard:
            await asyncio.sleep(0)
            await channels.publish("a", "rain")
            assert await anext(heard) == "rain"

    async def test() -> None:
        await asyncio.gather(*(once() for _ in range(5)))
        async with channels.subscribe("a", str):
            await asyncio.gather(once(), once())
        await once()

    within(channels, test)

    assert asked[0] == "+a"
    assert asked[-1] == "-a"
    assert asked.count("+a") == asked.count("-a") < 6
    assert all(one != other for one, other in itertools.pairwise(asked))


def test_a_def_publishes_from_its_thread() -> None:
    app = App(plugins=[Channels()])

    @app.post("/")
    def publish(channels: Channels) -> None:
        from_thread(channels.publish, "news", "rain")

    @app.websocket("/")
    async def listen(ws: WebSocket, channels: Channels) -> None:
        async with channels.join("news", ws):
            await ws.receive()

    with TestClient(app) as client, client.websocket("/") as ws:
        client.post("/")
        assert ws.receive() == "rain"
        ws.send("done")


# -- WebSockets ------------------------------------------------------------------------------------------------------


def test_all_who_have_joined_are_sent_it() -> None:
    channels = Channels()
    with TestClient(served(channels)) as client:
        with client.websocket("/a") as one, client.websocket("/a") as two:
            with client.websocket("/b") as other:
                one.send("rain")
                assert [one.receive(), two.receive()] == ["rain", "rain"]
                other.send("sun")
                assert other.receive() == "sun"
            two.send("snow")
            assert [one.receive(), two.receive()] == ["snow", "snow"]


def test_values_are_sent_as_json_and_bytes_as_they_are() -> None:
    channels = Channels()
    app = App(plugins=[channels])

    @app.websocket("/")
    async def listen(ws: WebSocket[str, News], channels: Channels) -> None:
        async with channels.join("a", ws), channels.join("a", ws):
            await channels.publish("a", News("rain", "bob"))
            await channels.publish("a", b"\0")
            await ws.receive()

    with TestClient(app).websocket("/") as ws:
        # It has joined twice, and is sent it once.
        assert [ws.receive(), ws.receive()] == [{"text": "rain"}, b"\0"]
        ws.send("done")
        assert list(ws) == []


def test_who_has_left_is_sent_nothing() -> None:
    channels = Channels()
    app = App(plugins=[channels])

    @app.websocket("/")
    async def listen(ws: WebSocket, channels: Channels) -> None:
        async with channels.join("a", ws):
            async with channels.join("a", ws):
                pass
            await channels.publish("a", "in")
        await channels.publish("a", "out")
        await ws.send("end")

    with TestClient(app).websocket("/") as ws:
        assert list(ws) == ["in", "end"]


def test_a_client_that_does_not_read_is_closed_with_1013_and_nobody_waits_for_it() -> None:
    channels = Channels()
    app = served(channels)

    async def test() -> None:
        async with AsyncTestClient(app) as client:
            async with client.websocket("/a") as slow, client.websocket("/a") as quick:
                message = "x" * 400_000
                for _ in range(5):
                    await channels.publish("a", message)
                    assert await quick.receive() == message
                assert [len(each) async for each in slow] == [400_000] * 2
                assert slow.closed == (1013, "too slow")
                await quick.send("still here")
                assert await quick.receive() == "still here"
                shown = (await client.get("/metrics")).text
        assert "kingpost_channels_closed_total 1" in shown
        assert "kingpost_channels_missed_total 0" in shown

    asyncio.run(test())


# -- refusals --------------------------------------------------------------------------------------------------------


def test_a_message_may_be_so_large_and_no_larger() -> None:
    channels = Channels()

    async def test() -> None:
        async with channels.subscribe("a", bytes) as heard:
            await channels.publish("a", bytes(limits.CHANNEL_MESSAGE_BYTES))
            assert len(await anext(heard)) == limits.CHANNEL_MESSAGE_BYTES
            with pytest.raises(ValueError, match="a channel carries 1048576 at most"):
                await channels.publish("a", bytes(limits.CHANNEL_MESSAGE_BYTES + 1))

    within(channels, test)


def test_a_name_may_be_so_long_and_no_longer() -> None:
    channels = Channels()

    async def test() -> None:
        await channels.publish("é" * 127, "")
        for name in ("", "é" * 128):
            with pytest.raises(ChannelError) as error:
                await channels.publish(name, "")
            assert error.value.code == "channels.bad-name"

    within(channels, test)


def test_what_json_cannot_hold_is_not_published() -> None:
    channels = Channels()

    async def test() -> None:
        with pytest.raises(TypeError, match="has no form in JSON"):
            await channels.publish("a", object())
        with pytest.raises(ChannelError) as error:
            channels.subscribe("a", Channels)
        assert error.value.code == "channels.bad-type"

    within(channels, test)


def test_nobody_publishes_where_nobody_serves() -> None:
    channels = Channels()
    within(channels, lambda: channels.publish("a", "rain"))

    with pytest.raises(ConfigurationError) as error:
        asyncio.run(channels.publish("a", "rain"))

    assert error.value.code == "channels.not-running"


def test_an_app_may_be_served_twice_at_once() -> None:
    app = served(Channels())
    with TestClient(app) as first:
        with first.websocket("/a") as ws:
            with TestClient(app) as second, second.websocket("/a") as other:
                other.send("there")
                assert other.receive() == "there"
            ws.send("here")
            assert ws.receive() == "here"


def test_an_app_has_one() -> None:
    with pytest.raises(ConfigurationError) as error:
        App(plugins=[Channels(), Channels()])

    assert error.value.code == "plugins.twice"
