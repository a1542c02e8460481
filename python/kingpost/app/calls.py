"""How a handler is called: on the loop, on a thread or in place; with its time limit, and with its first chunk in hand."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, Self

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
    timeout: float | None = None
    """Seconds that all of its route may take."""


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
            words = f"{WORDS['async']}, for {timeout:g} s at most"
            return Call(handler, "async", words, timeout)
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


class TimeLimit:
    """An asynchronous context that ends after a time what runs in it.

    Args:
        seconds: above 0.

    Raises:
        ServiceUnavailable: `handler.timeout`, from the context's end, when the time was over; a TimeoutError of what ran passes as it is.
    """

    __slots__ = ("_left", "_limit", "_loop", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = self._left = seconds

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._limit = asyncio.timeout(self._seconds)
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise ServiceUnavailable(
                f"this took longer than {self._seconds:g} seconds", code="handler.timeout"
            ) from None

    def pause(self) -> None:
        """The client is waited for, whose time this is not."""
        when = self._limit.when()
        if when is not None and not self._limit.expired():
            self._left = when - self._loop.time()
            self._limit.reschedule(None)

    def resume(self) -> None:
        """What it has sent is here."""
        self._limit.reschedule(self._loop.time() + self._left)


def limited(handler: Callable[..., Any], seconds: float | None) -> Callable[..., Any]:
    """A handler with its time limit, where there is nothing around it."""
    if seconds is None:
        return handler

    @functools.wraps(handler)
    async def call(*args: Any, **named: Any) -> Any:
        async with TimeLimit(seconds):
            return await handler(*args, **named)

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
