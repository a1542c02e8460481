"""How handlers are called."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from kingpost import App
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError
from kingpost.testing import TestClient


def plain() -> str:
    return "plain"


async def waiting(word: str = "waiting") -> str:
    return word


def rows() -> Iterator[str]:
    yield "rows"


async def events() -> AsyncIterator[str]:
    yield "events"


class Waiting:
    async def __call__(self) -> str:
        return "object"


class Plain:
    def method(self) -> str:
        return "method"


@pytest.mark.parametrize(
    ("handler", "kind", "said"),
    [
        (plain, "def: on a worker thread", "plain"),
        (waiting, "async def: on the event loop", "waiting"),
        (functools.partial(waiting, "partial"), "async def: on the event loop", "partial"),
        (Waiting(), "async def: on the event loop", "object"),
        (Plain().method, "def: on a worker thread", "method"),
        (rows, "def with yield: on a worker thread, streamed", "rows"),
        (events, "async def with yield: on the event loop, streamed", "events"),
    ],
    ids=["def", "async", "partial", "object", "method", "generator", "async generator"],
)
def test_a_handler_runs_by_its_colour(handler: Any, kind: str, said: str) -> None:
    app = App()
    app.add_route("/", handler)

    assert compile_app(app, mode="test").routes[0].call.words == kind
    with TestClient(app) as client:
        assert client.get("/").text == said


@pytest.mark.parametrize(
    ("handler", "options", "code"),
    [
        (waiting, {"inline": True}, "inline-async"),
        (events, {"inline": True}, "inline-async"),
        (rows, {"inline": True}, "inline-generator"),
        (plain, {"timeout": 1}, "timeout-on-def"),
        (plain, {"timeout": 1, "inline": True}, "timeout-on-def"),
        (rows, {"timeout": 1}, "timeout-on-def"),
        (events, {"timeout": 1}, "timeout-on-def"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_the_colour_are_refused(
    handler: Any, options: Any, code: str
) -> None:
    app = App()
    app.add_route("/", handler, **options)

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == f"routing.{code}"


def test_words_say_inline_and_the_time_limit() -> None:
    app = App()
    app.get("/a", inline=True)(plain)
    app.get("/b", timeout=2.5)(waiting)

    words = [route.call.words for route in compile_app(app, mode="test").routes]

    assert words == [
        "def with inline=True: in place, on the event loop",
        "async def: on the event loop, for 2.5 s at most",
    ]
