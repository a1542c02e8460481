"""The threads on which `def` handlers run.

They are ordinary `threading.Thread`s, so that names, trace hooks, debuggers, coverage and `threading.local` work; what
they do is one native loop that takes jobs from the engine's queue.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar, cast

from kingpost.server.anyio_token import anyio_token

P = ParamSpec("P")
T = TypeVar("T")


class _Here(threading.local):
    """What the current thread knows of its worker."""

    pool: WorkerThreads | None = None


_here = _Here()


class WorkerThreads:
    """The worker threads of one server; the engine calls `spawn` when it wants one more."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._threads: list[threading.Thread] = []
        self._calls: set[asyncio.Future[Any]] = set()
        self._closed = False

    def spawn(self, target: Callable[[], None], number: int) -> None:
        """Starts worker thread `number`, whose whole life is one call of `target`."""
        # Daemon: a thread that is stuck in user code must not keep the process from ending.
        thread = threading.Thread(
            target=self._work, args=(target,), name=f"kingpost-worker-{number}", daemon=True
        )
        self._threads = [one for one in self._threads if one.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _work(self, target: Callable[[], None]) -> None:
        _here.pool = self
        with anyio_token(self._loop):
            target()

    def lend(self, function: Callable[[], T]) -> T:
        """Calls a function on a thread of somebody else's, and it finds what it would find on one of these."""
        before, _here.pool = _here.pool, self
        try:
            with anyio_token(self._loop):
                return function()
        finally:
            _here.pool = before

    def start(self, make: Callable[[], Awaitable[T]]) -> Future[T]:
        """Runs an awaitable on the loop from a worker thread, in a copy of the thread's context."""

        async def run() -> T:
            task = cast("asyncio.Task[Any]", asyncio.current_task())
            if self._closed:
                raise RuntimeError("from_thread: the server has stopped")
            self._calls.add(task)
            try:
                return await make()
            finally:
                self._calls.discard(task)

        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    def cancel_calls(self) -> None:
        """Cancels what threads wait for on the loop, so that they can end. Called on the loop when the grace is over."""
        self._closed = True
        for call in tuple(self._calls):
            call.cancel()

    def alive(self, wait: float = 0.0) -> list[threading.Thread]:
        """The threads that have not ended after at most `wait` seconds: those still in user code."""
        deadline = time.monotonic() + wait
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread for thread in self._threads if thread.is_alive()]


def from_thread(function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls an `async def` function from a `def` handler and returns what it returns.

    It runs as a task of its own on the event loop, with a copy of the caller's context variables; the calling thread
    waits.

    Raises:
        RuntimeError: the caller is not on a worker thread of a server: on the loop, write `await` instead.
        BaseException: whatever the function raises; CancelledError when the server stops first.
    """
    return start_on_loop(lambda: function(*args, **kwargs)).result()


def is_worker_thread() -> bool:
    """Whether this thread is a worker of a server."""
    return _here.pool is not None


def is_on_loop() -> bool:
    """Whether this thread runs an event loop, which must not be blocked."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def start_on_loop(make: Callable[[], Awaitable[T]]) -> Future[T]:
    """Runs an awaitable on the loop of the worker thread that calls this.

    Raises:
        RuntimeError: the caller is not on a worker thread of a server.
    """
    pool = _here.pool
    if pool is None:
        raise RuntimeError(
            "from_thread works in `def` handlers and what they call; in an `async def`, await the function instead"
        )
    return pool.start(make)
