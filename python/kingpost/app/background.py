"""Runs what was added to BackgroundTasks, once the answer has left."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, Final

from kingpost.app.running import Threads
from kingpost.errors import ServiceUnavailable
from kingpost.http.background import BackgroundTasks, Work
from kingpost.http.response import Response
from kingpost.injection.provider import kind_of

MAX_WAITING: Final = 1000
"""Calls that wait or run, in one process; a handler that would add more is answered with 503."""


class Background:
    """The calls of one process that follow answers.

    Attributes:
        report: told of what a call raised.
        prepare: gives a call with what providers make for it; None: it is called as it is.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._idle: asyncio.Event | None = None
        self.report: Callable[[Work, BaseException], None] = lambda _work, _error: None
        self.prepare: Callable[[Work], Callable[[], Any] | None] = lambda _work: None

    def start(self) -> None:
        """Called on the loop, before the first request."""
        self._loop = asyncio.get_running_loop()

    def after(self, tasks: BackgroundTasks, response: Response[Any]) -> None:
        """Have the calls made when the answer is out. Called where the handler ran.

        Raises:
            ServiceUnavailable: `background.full`.
        """
        work = tasks.__work__()
        if self._waiting + len(work) > MAX_WAITING:
            raise ServiceUnavailable(
                f"more than {MAX_WAITING} calls wait to be made after their answers",
                code="background.full",
            )
        self._waiting += len(work)
        context = contextvars.copy_context()
        begin = partial(self._begin, work, context)
        chunks = response.chunks
        if chunks is None:
            begin()
        elif isinstance(chunks, AsyncIterator):
            response.chunks = followed_async(chunks, begin)
        else:
            response.chunks = followed(chunks, begin)

    def _begin(self, work: list[Work], context: contextvars.Context) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        # The answer leaves at the end of this turn of the loop; the calls are made in the next.
        loop = self._loop
        loop.call_soon_threadsafe(lambda: loop.call_soon(self._spawn, work, context))

    def _spawn(self, work: list[Work], context: contextvars.Context) -> None:
        task = asyncio.get_running_loop().create_task(
            self._run(work), name="kingpost background", context=context
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, work: list[Work]) -> None:
        for each in work:
            try:
                await self._call(each)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - the next one is called all the same
                self.report(each, error)
            finally:
                self._waiting -= 1

    async def _call(self, work: Work) -> None:
        function, args, kwargs = work
        prepared = self.prepare(work)
        if prepared is not None:
            await prepared()
        elif kind_of(function) == "async":
            await function(*args, **kwargs)
        else:
            await self._threads.call(partial(function, *args, **kwargs))

    @property
    def waiting(self) -> int:
        """Calls that are not made, or not over."""
        return self._waiting

    async def idle(self) -> None:
        """Returns when no call waits or runs."""
        while self._waiting:
            running = tuple(self._running)
            if running:
                await asyncio.wait(running)
            else:
                await asyncio.sleep(0.005)


def followed(chunks: Iterator[Any], begin: Callable[[], None]) -> Iterator[Any]:
    try:
        yield from chunks
    finally:
        begin()


async def followed_async(
    chunks: AsyncIterator[Any], begin: Callable[[], None]
) -> AsyncIterator[Any]:
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
        begin()
