"""What the program of a route calls while it runs: threads, generators that are finished, answers that are streamed.

Rule 1: a generator is finished exactly once: by `finish` with the response, or by `unwind` with the exception.
Rule 2: they are finished in the reverse order of their making; what one of them raises is thrown into those that are left.
Rule 3: a step of a `def` runs on a worker thread, one of an `async def` on the loop, whoever waits for it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import cache, partial
from typing import Any, TypeVar

from kingpost.http.response import Response
from kingpost.server.threads import start_on_loop

T = TypeVar("T")

Made = list[tuple[bool, Any]]
"""Generators that have yielded, in order: (whether it is asynchronous, the generator)."""

CallInThread = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a function on a worker thread; the awaitable of its result."""

CLEANUP_THREADS = 4
"""Threads that do nothing but finish `def` generators of `async def` handlers: what they give back may be what all others wait for."""


# ---- from one colour to the other


class Visit:
    """A worker thread that waits for the loop, and meanwhile does what the loop asks of it.

    A `def` middleware holds its thread while the rest of the request runs. Were the `def` handler inside it to wait for a second thread,
    a full pool of such requests would wait for itself.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_over = False

    def wait(self, make: Callable[[], Awaitable[T]]) -> T:
        """The result of an awaitable on the loop; called on the thread."""
        token = _visit.set(self)
        try:
            result = start_on_loop(make)
        finally:
            _visit.reset(token)
        result.add_done_callback(self._end)
        while (job := self._jobs.get()) is not None:
            job()
        return result.result()

    def _end(self, _result: object) -> None:
        with self._lock:
            self._is_over = True
            self._jobs.put(None)

    def run(self, function: Callable[[], T]) -> asyncio.Future[T] | None:
        """Have the thread call a function; called on the loop. None: the thread has left, as for a task that outlives its request."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                loop.call_soon_threadsafe(settle, done, error, None)
            else:
                loop.call_soon_threadsafe(settle, done, None, result)

        with self._lock:
            if self._is_over:
                return None
            self._jobs.put(job)
        return done


_visit: ContextVar[Visit | None] = ContextVar("kingpost.visit", default=None)


def settle(done: asyncio.Future[T], error: BaseException | None, result: Any) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def on_loop(function: Callable[..., Awaitable[T]], /, *args: Any) -> T:
    """Call an `async def` function from a worker thread and wait for it."""
    return Visit().wait(partial(function, *args))


class Threads:
    """Where the `def` steps of an `async` program run. The server says how when it starts."""

    def __init__(self) -> None:
        self._call: CallInThread | None = None

    def attach(self, call: CallInThread | None) -> None:
        self._call = call

    def call(self, function: Callable[[], T]) -> Awaitable[T]:
        """Call a function on a worker thread: the one that this request holds already, if it holds one."""
        visit = _visit.get()
        if visit is not None and (asked := visit.run(function)) is not None:
            return asked
        if self._call is None:
            return asyncio.to_thread(function)
        return self._call(function)


@cache
def cleanup_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CLEANUP_THREADS, thread_name_prefix="kingpost-cleanup")


async def apart(function: Callable[[], T]) -> T:
    """Call a function on a thread that no handler runs on; a cancellation does not keep it from its end."""
    return await asyncio.shield(
        asyncio.get_running_loop().run_in_executor(cleanup_threads(), function)
    )


# ---- generators


def begin(generator: Iterator[T], made: Made) -> T:
    """The value of a provider's generator, which is then to be finished."""
    for value in generator:
        made.append((False, generator))
        return value
    raise RuntimeError(f"{name_of(generator)} ended without a yield, and a provider yields once")


async def begin_async(generator: AsyncIterator[T], made: Made) -> T:
    """The value of a provider's asynchronous generator, which is then to be finished."""
    async for value in generator:
        made.append((True, generator))
        return value
    raise RuntimeError(f"{name_of(generator)} ended without a yield, and a provider yields once")


def end_one(
    generator: Any, response: Response[Any] | None, error: BaseException | None
) -> BaseException | None:
    """Finish a generator; the exception that goes on from there."""
    try:
        if error is None:
            generator.send(response)
        elif isinstance(error, GeneratorExit):
            generator.close()
            return error
        else:
            generator.throw(error)
    except StopIteration:
        return error
    except BaseException as raised:  # noqa: BLE001 - it is raised when all are finished
        return raised
    generator.close()
    return error or RuntimeError(f"{name_of(generator)} yields twice, and a provider yields once")


async def end_one_async(
    generator: Any, response: Response[Any] | None, error: BaseException | None
) -> BaseException | None:
    """As `end_one`, for an asynchronous generator."""
    try:
        if error is None:
            await generator.asend(response)
        elif isinstance(error, GeneratorExit):
            await generator.aclose()
            return error
        else:
            await generator.athrow(error)
    except StopAsyncIteration:
        return error
    except BaseException as raised:  # noqa: BLE001 - it is raised when all are finished
        return raised
    await generator.aclose()
    return error or RuntimeError(f"{name_of(generator)} yields twice, and a provider yields once")


def name_of(generator: Any) -> str:
    return str(getattr(generator, "__qualname__", generator))


def end_all(
    made: Made, response: Response[Any] | None, error: BaseException | None
) -> BaseException | None:
    """Finish every generator from a worker thread, the last first."""
    while made:
        is_async, generator = made.pop()
        if is_async:
            error = on_loop(end_one_async, generator, response, error)
        else:
            error = end_one(generator, response, error)
    return error


async def end_all_async(
    made: Made, response: Response[Any] | None, error: BaseException | None
) -> BaseException | None:
    """Finish every generator on the loop, the last first; those of a `def` on a thread apart."""
    while made:
        is_async, generator = made.pop()
        if is_async:
            error = await end_one_async(generator, response, error)
        else:
            error = await apart(partial(end_one, generator, response, error))
    return error


def finish(made: Made, response: Response[Any]) -> None:
    """The answer is made: what was made for it is finished, before its first byte or after the last of a stream."""
    chunks = response.chunks
    if chunks is not None:
        hold(response, made)
        return
    error = end_all(made, response, None)
    if error is not None:
        raise error


async def finish_async(made: Made, response: Response[Any]) -> None:
    """As `finish`, on the loop."""
    if response.chunks is not None:
        hold(response, made)
        return
    error = await end_all_async(made, response, None)
    if error is not None:
        raise error


def unwind(made: Made, error: BaseException) -> None:
    """Something was raised: it is thrown into every generator. Raises what one of them raised in its place."""
    raised = end_all(made, None, error)
    if raised is not None and raised is not error:
        raise raised


async def unwind_async(made: Made, error: BaseException) -> None:
    """As `unwind`, on the loop."""
    raised = await end_all_async(made, None, error)
    if raised is not None and raised is not error:
        raise raised


# ---- streams


def hold(response: Response[Any], made: Made) -> None:
    """Has the generators finished when the last chunk is out, or the client has left."""
    if not made:
        return
    chunks = response.chunks
    left, made[:] = list(made), []
    if isinstance(chunks, AsyncIterator):
        response.chunks = held_async(chunks, left, response)
    elif chunks is not None:
        response.chunks = held(chunks, left, response)


def held(chunks: Iterator[Any], made: Made, response: Response[Any]) -> Iterator[Any]:
    try:
        try:
            yield from chunks
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
    except BaseException as error:
        unwind(made, error)
        raise
    failed = end_all(made, response, None)
    if failed is not None:
        raise failed


async def held_async(
    chunks: AsyncIterator[Any], made: Made, response: Response[Any]
) -> AsyncIterator[Any]:
    try:
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()
    except BaseException as error:
        await unwind_async(made, error)
        raise
    failed = await end_all_async(made, response, None)
    if failed is not None:
        raise failed
