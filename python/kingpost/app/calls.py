"""How a handler is called: on the loop, on a thread or in place; with its time limit, and with its first chunk in hand."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import msgspec

from kingpost.errors import RoutingError, ServiceUnavailable
from kingpost.routing.table import Entry
from kingpost.types import HandlerKind

WORDS: dict[str, str] = {
    "async": "async def: on the event loop",
    "thread": "def: on a worker thread",
    "inline": "def with inline=True: in place, on the event loop",
}


class Call(msgspec.Struct, frozen=True):
    """A handler as the engine calls it."""

    handler: Callable[..., Any]
    kind: HandlerKind
    words: str


class Started(msgspec.Struct, frozen=True):
    """A stream whose first item is there already.

    Headers leave with the first item. A generator that fails before it is answered with an error, not with half a page; and the type
    of that item says what the stream is, where no annotation does.
    """

    first: Any
    rest: Iterator[Any] | AsyncIterator[Any]
    is_over: bool


_OVER = object()


def call_of(entry: Entry, *, waits: bool = True) -> Call:
    """How the handler of a route is called.

    Args:
        entry: the route.
        waits: whether the head of a stream waits for the first item.

    Raises:
        RoutingError: `routing.inline-async`, `routing.inline-generator` or `routing.timeout-on-def`.
    """
    handler, inline, timeout = (
        entry.handler,
        entry.options.get("inline", False),
        entry.options.get("timeout"),
    )
    if is_kind(handler, inspect.isasyncgenfunction):
        forbid(
            entry,
            inline,
            "routing.inline-async",
            "an async generator runs on the loop as it is",
            "leave out inline=True",
        )
        forbid(
            entry,
            timeout,
            "routing.timeout-on-def",
            "a stream may take as long as its reader",
            "leave out timeout=",
        )
        return Call(
            async_started(handler) if waits else async_unstarted(handler),
            "async",
            "async def with yield: on the event loop, streamed",
        )
    if is_kind(handler, inspect.isgeneratorfunction):
        forbid(
            entry,
            inline,
            "routing.inline-generator",
            "between two chunks a generator waits for its reader",
            "leave out inline=True",
        )
        forbid(
            entry,
            timeout,
            "routing.timeout-on-def",
            "a stream may take as long as its reader",
            "leave out timeout=",
        )
        return Call(
            started(handler) if waits else handler,
            "thread",
            "def with yield: on a worker thread, streamed",
        )
    if is_kind(handler, inspect.iscoroutinefunction):
        forbid(
            entry,
            inline,
            "routing.inline-async",
            "async def runs on the loop as it is",
            "leave out inline=True, or write def",
        )
        if timeout is not None:
            return Call(
                limited(handler, timeout), "async", f"{WORDS['async']}, for {timeout:g} s at most"
            )
        return Call(handler, "async", WORDS["async"])
    forbid(
        entry,
        timeout,
        "routing.timeout-on-def",
        "a running thread cannot be stopped",
        "write async def, or leave out timeout=",
    )
    kind: HandlerKind = "inline" if inline else "thread"
    return Call(handler, kind, WORDS[kind])


def is_kind(handler: Callable[..., Any], test: Callable[[Any], bool]) -> bool:
    while isinstance(handler, functools.partial):
        handler = handler.func
    return test(handler) or test(getattr(type(handler), "__call__", None))  # noqa: B004 - the function is looked at


def forbid(entry: Entry, option: object, code: str, reason: str, remedy: str) -> None:
    if option:
        name = entry.name or entry.path
        raise RoutingError(f"{name}: {reason}", code=code, remedy=remedy, places=[entry.place])


def limited(handler: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    @functools.wraps(handler)
    async def call(*args: Any, **named: Any) -> Any:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await handler(*args, **named)
        except TimeoutError:
            if not limit.expired():
                # The handler's own: another timeout, or a library's.
                raise
            raise ServiceUnavailable(
                f"this took longer than {seconds:g} seconds", code="handler.timeout"
            ) from None

    return call


def started(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def call(*args: Any, **named: Any) -> Started:
        return start(handler(*args, **named))

    return call


def start(items: Iterator[Any]) -> Started:
    """Take the first item of a stream; runs as long as that takes."""
    first = next(items, _OVER)
    return Started(first, items, is_over=first is _OVER)


def async_started(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    async def call(*args: Any, **named: Any) -> Started:
        items = handler(*args, **named)
        first = await anext(items, _OVER)
        return Started(first, items, is_over=first is _OVER)

    return call


def async_unstarted(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    async def call(*args: Any, **named: Any) -> Any:
        return handler(*args, **named)

    return call
