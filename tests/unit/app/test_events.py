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
