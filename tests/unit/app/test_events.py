"""Events: who is called with them, where, and what becomes of what receivers raise."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from kingpost import App, Struct
from kingpost.testing import TestClient


class Happened(Struct):
    word: str = ""


class Special(Happened): ...


class Other: ...


def receiving(app: App) -> list[str]:
    log: list[str] = []

    @app.on(Happened)
    def one(event: Happened) -> None:
        log.append(f"one {event.word} {threading.current_thread() is threading.main_thread()}")

    @app.on(Special)
    async def two(event: Special) -> None:
        await asyncio.sleep(0)
        log.append(f"two {event.word} {threading.current_thread() is threading.main_thread()}")

    return log


def test_receivers_of_a_class_and_of_those_above_are_called_in_order() -> None:
    app = App()
    log = receiving(app)

    @app.get("/async")
    async def tell() -> str:
        await app.aemit(Special("a"))
        await app.aemit(Other())
        return ""

    @app.get("/def")
    def tell_def() -> str:
        app.emit(Special("d"))
        app.emit(Happened("h"))
        return ""

    with TestClient(app) as client:
        client.get("/async")
        client.get("/def")

    assert log == [
        *("one a False", "two a True", "one d False", "two d True"),
        "one h False",
    ]


def test_events_are_told_without_a_server() -> None:
    app = App()
    log = receiving(app)
    app.emit(Special("d"))
    asyncio.run(app.aemit(Special("a")))

    assert log == ["one d True", "two d True", "one a False", "two a True"]


def test_emit_on_the_loop_cannot_wait() -> None:
    app = App()
    receiving(app)

    async def tell() -> None:
        app.emit(Special())

    with pytest.raises(RuntimeError, match=r"write await app.aemit"):
        asyncio.run(tell())


def test_who_waits_is_not_told_of_an_event_that_could_not_be_emitted() -> None:
    app = App()
    receiving(app)

    async def tell() -> Special:
        async def heard() -> Special:
            return await app.on(Special)

        waiting = asyncio.ensure_future(heard())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            app.emit(Special("refused"))
        await app.aemit(Special("told"))
        return await waiting

    assert asyncio.run(tell()).word == "told"


def test_what_a_receiver_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = App()
    log: list[str] = []

    class Broken:
        async def __call__(self, event: Happened) -> None:
            raise KeyError("x")

    app.on(Happened)(Broken())

    @app.on(Happened)
    def broken(event: Happened) -> None:
        raise KeyError("y")

    @app.on(Happened)
    def last(event: Happened) -> Any:
        log.append("last")

    with caplog.at_level(logging.ERROR, "kingpost.app"):
        app.emit(Happened())
        asyncio.run(app.aemit(Happened()))

    assert log == ["last", "last"]
    assert caplog.text.count("failed with a Happened") == 4


def test_a_coroutine_waits_for_the_next_event_of_a_class_or_below_it() -> None:
    app = App()
    seen: list[object] = []

    class Order: ...

    class Paid(Order): ...

    @app.get("/wait")
    async def wait() -> str:
        task = asyncio.ensure_future(heard())
        await asyncio.sleep(0)
        app.emit(object())
        await app.aemit(Paid())
        await app.aemit(Order())
        return type(await task).__name__

    async def heard() -> Order:
        event = await app.on(Order)
        seen.append(event)
        return event

    with TestClient(app) as client:
        assert client.get("/wait").text == "Paid"

    assert len(seen) == 1


def test_an_event_that_a_thread_emits_ends_the_waiting() -> None:
    app = App()

    class Paid: ...

    @app.get("/wait")
    async def wait() -> str:
        waiting = asyncio.ensure_future(next_paid())
        await asyncio.sleep(0)
        await asyncio.to_thread(app.emit, Paid())
        return await waiting

    async def next_paid() -> str:
        async with asyncio.timeout(20):
            return type(await app.on(Paid)).__name__

    with TestClient(app) as client:
        assert client.get("/wait").text == "Paid"


def test_who_stops_waiting_is_told_nothing() -> None:
    app = App()

    class Paid: ...

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await app.on(Paid)
        await app.aemit(Paid())

    asyncio.run(give_up())


@pytest.mark.parametrize("is_async", [True, False])
def test_a_strict_emitter_is_told_what_receivers_raise_when_all_were_called(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app, called = App(), list[str]()

    class Paid: ...

    class Refunded: ...

    @app.on(Refunded)
    def fails_for_refunds(event: Refunded) -> None:
        raise OSError("no book")

    @app.on(Paid)
    def fails(event: Paid) -> None:
        raise OSError("no book")

    @app.on(Paid)
    def fails_too(event: Paid) -> None:
        raise KeyError("no kitchen")

    @app.on(object)
    def works(event: object) -> None:
        called.append("works")

    def emit(event: object) -> None:
        if is_async:
            asyncio.run(app.aemit(event, strict=True))
        else:
            app.emit(event, strict=True)

    with pytest.raises(OSError, match="no book"):
        emit(Refunded())
    with pytest.raises(ExceptionGroup) as group:
        emit(Paid())

    assert [type(error) for error in group.value.exceptions] == [OSError, KeyError]
    emit(object())
    assert called == ["works", "works", "works"]
    assert caplog.text == ""
