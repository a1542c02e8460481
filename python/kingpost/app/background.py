"""Runs what was added to BackgroundTasks, once the answer has left.

Rule 1: nothing is called for a handler that failed; what its providers' clean-up raises is a failure, too.
Rule 2: room is asked for before anything is committed, so that the 503 of a full queue tells the truth.
Rule 3: the calls of one request are made one after the other, in one task; what one of them raises is reported, and the next is made.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final

from kingpost.app.crossing import Threads
from kingpost.app.streams import Watched, WatchedAsync
from kingpost.errors import ServiceUnavailable
from kingpost.http.background import BackgroundTasks, Work
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.injection.provider import kind_of

MAX_WAITING: Final = 1000
"""Calls that wait or run, in one process; a handler that would add more is answered with 503."""

KEY: Final = "kingpost.background"

Prepare = Callable[[Work], Callable[[], Any] | None]
"""Gives a call with what providers make for it; None: it is called as it is."""


class Opened(BackgroundTasks):
    """What one run of a handler may add to."""

    __slots__ = ("is_kept", "reserved")

    def __init__(self) -> None:
        super().__init__()
        self.reserved = 0
        self.is_kept = False


def open_background(request: Request) -> Opened:
    """Called by the program of a route that names BackgroundTasks."""
    opened = Opened()
    request.cache.setdefault(KEY, []).append(opened)
    return opened


def keep_background(opened: Opened) -> None:
    """Called by the program when the handler is through, and what was made for it is finished."""
    opened.is_kept = True


class Background:
    """The calls of one process that follow answers.

    Attributes:
        report: told of what a call raised.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._running: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self.report: Callable[[Work, BaseException], None] = lambda _work, _error: None

    @property
    def waiting(self) -> int:
        """Calls that are not made, or not over."""
        return self._waiting

    def reserve(self, opened: Opened) -> None:
        """Keep room for what was added; called where the handler ran.

        Raises:
            ServiceUnavailable: `background.full`.
        """
        with self._lock:
            more = len(opened) - opened.reserved
            if self._waiting + more > MAX_WAITING:
                raise ServiceUnavailable(
                    f"more than {MAX_WAITING} calls wait to be made after their answers",
                    code="background.full",
                )
            self._count(opened, more)

    def _count(self, opened: Opened, more: int) -> None:
        opened.reserved += more
        self._waiting += more

    def followed(
        self, function: Callable[[Any], Awaitable[Response[Any]]], prepare: Prepare
    ) -> Callable[[Any], Awaitable[Response[Any]]]:
        """A route's function, all middleware included, and behind its answer what was added."""

        async def call(request: Request) -> Response[Any]:
            try:
                response = await function(request)
            except BaseException:
                self._begin(request, prepare)
                raise
            chunks = response.chunks
            if chunks is None:
                self._begin(request, prepare)
            elif isinstance(chunks, AsyncIterator):
                response.chunks = WatchedAsync(chunks, partial(self._ended_async, request, prepare))
            else:
                response.chunks = Watched(chunks, partial(self._ended, request, prepare))
            return response

        return call

    def _ended(self, request: Request, prepare: Prepare, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            # The handler is a generator, and it has failed.
            for opened in request.cache.get(KEY, ()):
                opened.is_kept = False
        self._begin(request, prepare)

    async def _ended_async(
        self, request: Request, prepare: Prepare, error: BaseException | None
    ) -> None:
        self._ended(request, prepare, error)

    def _begin(self, request: Request, prepare: Prepare) -> None:
        calls: list[Work] = []
        every: list[Opened] = request.cache.pop(KEY, [])
        for opened in every:
            kept = opened.__work__() if opened.is_kept else []
            with self._lock:
                self._count(opened, len(kept) - opened.reserved)
            calls += kept
        if calls:
            # The answer leaves at the end of this turn of the loop; the calls are made in the next.
            loop, context = asyncio.get_running_loop(), contextvars.copy_context()
            loop.call_soon(lambda: loop.call_soon(self._spawn, calls, prepare, context))

    def _spawn(self, calls: list[Work], prepare: Prepare, context: contextvars.Context) -> None:
        task = asyncio.get_running_loop().create_task(
            self._run(calls, prepare), name="kingpost background", context=context
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def follow(self, task: asyncio.Task[None]) -> None:
        """Have a task that goes on behind its answer waited for like what was added to BackgroundTasks."""
        with self._lock:
            self._waiting += 1
        self._running.add(task)
        task.add_done_callback(self._followed)

    def _followed(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        with self._lock:
            self._waiting -= 1

    async def _run(self, calls: list[Work], prepare: Prepare) -> None:
        left = len(calls)
        try:
            for work in calls:
                try:
                    await self._call(work, prepare)
                except Exception as error:  # noqa: BLE001 - the next one is called all the same
                    self.report(work, error)
                left -= 1
                with self._lock:
                    self._waiting -= 1
        finally:
            with self._lock:
                self._waiting -= left

    async def _call(self, work: Work, prepare: Prepare) -> None:
        function, args, kwargs = work
        call = prepare(work) or partial(function, *args, **kwargs)
        if kind_of(call) == "async":
            await call()
        else:
            await self._threads.call(call)

    async def idle(self) -> None:
        """Returns when no call waits or runs."""
        while self._waiting:
            running = tuple(self._running)
            if running:
                await asyncio.wait(running)
            else:
                await asyncio.sleep(0.005)
