"""From one colour to the other: `def` steps on threads, `async def` steps on the loop, whoever waits for them.

Rule 1: a task that is cancelled while a thread works for it waits until the thread is done, for what the thread holds must not be given
back under its hands. It does not wait for what was not begun, nor after a second cancellation.
Rule 2: the steps of a request are in one context, on whichever thread they run: what one sets, the next one finds.
Rule 3: a step of a request that holds something never queues behind requests that wait for it: see `Threads.aside`.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import CancelledError as Abandoned
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast

from kingpost.server.threads import WorkerThreads, start_on_loop

T = TypeVar("T")

CallInThread = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a function on a worker thread; the awaitable of its result."""

CLEANUP_THREADS: Final = 4
"""Threads that do nothing but finish `def` generators of `async def` handlers: what they give back may be what all others wait for."""

ASIDE_THREADS: Final = 256
"""Most threads for `def` steps of requests that hold something already; made when they are needed."""

_MISSING: Final = object()


class Job(Generic[T]):
    """A function that a thread runs for a task."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._state = "waits"
        self._told: Callable[[], object] | None = None
        self._context: Context | None = None

    def __call__(self) -> T:
        with self._lock:
            if self._state == "dropped":
                return cast("T", None)  # nobody asks for it
            self._state = "runs"
        try:
            return self._function()
        except StopIteration as error:
            # Whoever awaits it would take it for the result.
            raise RuntimeError("a StopIteration left a function") from error
        finally:
            self._context = copy_context()
            with self._lock:
                self._state = "over"
                told = self._told
            if told is not None:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    told()

    async def left(self) -> None:
        """Returns when no thread runs it, nor ever will."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            if self._state != "runs":
                self._state = "dropped" if self._state == "waits" else self._state
                return
            self._told = partial(loop.call_soon_threadsafe, over.set)
        await over.wait()

    def bring_back(self) -> None:
        """Takes over what the function has set in its copy of the context."""
        if self._context is not None:
            adopt(self._context)


def adopt(context: Context) -> None:
    for variable, value in context.items():
        if variable is not _visit and variable.get(_MISSING) is not value:
            variable.set(value)


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
        context = copy_context()

        async def run() -> T:
            nonlocal context
            try:
                return await make()
            finally:
                context = copy_context()

        token = _visit.set(self)
        try:
            result = start_on_loop(run)
        finally:
            _visit.reset(token)
        result.add_done_callback(self._end)
        while (job := self._jobs.get()) is not None:
            job()
        adopt(context)
        try:
            return result.result()
        except Abandoned as error:
            raise asyncio.CancelledError from error

    def _end(self, _result: object) -> None:
        with self._lock:
            self._is_over = True
            self._jobs.put(None)

    def run(self, function: Callable[[], T]) -> asyncio.Future[T] | None:
        """Have the thread call a function; called on the loop. None: the thread has left, as for a task that outlives its request."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        context = copy_context()
        # The thread is busy with it: what the function has done on the loop in turn finds other threads.
        context.run(_visit.set, None)

        def job() -> None:
            try:
                result = context.run(function)
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
        self._others: dict[str, ThreadPoolExecutor] = {}
        self._workers: WorkerThreads | None = None

    def attach(self, call: CallInThread | None) -> None:
        """Told by the server how to run a function on a worker thread; None when its threads end."""
        self._call = call
        if call is None:
            if self._workers is not None:
                self._workers.cancel_calls()
            for executor in self._others.values():
                executor.shutdown(wait=False)
            self._others, self._workers = {}, None

    @contextlib.contextmanager
    def alone(self) -> Generator[None]:
        """Threads for what runs on the running loop without a server: a command, the shell."""
        loop = asyncio.get_running_loop()
        workers = WorkerThreads(loop)

        def call(function: Callable[[], Any]) -> Awaitable[Any]:
            in_context = partial(copy_context().run, function)
            return loop.run_in_executor(None, partial(workers.lend, in_context))

        self.attach(call)
        try:
            yield
        finally:
            workers.cancel_calls()
            self.attach(None)

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function on a worker thread: the one that this request holds already, if it holds one."""
        job = Job(function)
        try:
            return await self._start(job)
        except asyncio.CancelledError:
            await job.left()
            raise
        finally:
            job.bring_back()

    def _start(self, job: Job[T]) -> Awaitable[T]:
        visit = _visit.get()
        if visit is not None and (asked := visit.run(job)) is not None:
            return asked
        if self._call is None:
            return asyncio.to_thread(job)
        return self._call(job)

    async def aside(self, function: Callable[[], T]) -> T:
        """As `call`, for a request that holds something already: on a thread that nobody keeps who waits for that."""
        job = Job(function)
        try:
            return await self._submit("kingpost-aside", ASIDE_THREADS, job)
        except asyncio.CancelledError:
            await job.left()
            raise
        finally:
            job.bring_back()

    async def apart(self, function: Callable[[], T]) -> T:
        """Call a function that gives something back, on a thread that no handler runs on; a cancellation does not keep it from its end."""
        job = Job(function)
        running = self._submit("kingpost-cleanup", CLEANUP_THREADS, job)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.shield(running)
            raise
        finally:
            job.bring_back()

    def _submit(self, name: str, size: int, job: Job[T]) -> asyncio.Future[T]:
        loop, call = asyncio.get_running_loop(), partial(copy_context().run, job)
        if self._call is None:
            # Before the server, and behind it.
            return loop.run_in_executor(None, call)
        if self._workers is None:
            self._workers = WorkerThreads(loop)
        executor = self._others.get(name)
        if executor is None:
            executor = self._others[name] = ThreadPoolExecutor(size, thread_name_prefix=name)
        return loop.run_in_executor(executor, partial(self._workers.lend, call))
