"""A future that looks like a Task and whose coroutine is the handler of a request.

CPython's tests make tasks and look at them. Given as their `Task`, this class has each of their coroutines run by
the engine, on whatever loop the test made, and shows what became of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import types
from collections.abc import Coroutine, Iterator
from typing import Any, ClassVar, TextIO

from kingpost import _native
from kingpost.html import Html
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.server import streaming
from kingpost.server.task import RequestTask
from tests.conformance.tasks.rig import Kind


class Engine:
    """One server per loop, and a dispatch that hands each result to the stand-in of its request."""

    request_type = Request
    html_type = Html
    response_type = Response
    guard_all = False
    warn_markup = False

    server_type = _native.Server
    kind: Kind = "carrier"
    engines: ClassVar[dict[int, Engine]] = {}

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: list[CarriedTask | None] = []
        router = _native.Router()
        router.add("/{number}", ["GET"], 0, "cpython")
        plan = _native.Plan(
            self.handle,
            kind="async",
            binders=[("request", None)],
            slow=lambda request: ((request,), {}),
            encoder="answer",
            name="cpython",
        )
        self.server = _native.Server(
            self,
            router,
            [plan],
            loop=loop,
            task_type=RequestTask,
            tasks=self.kind,
            sockets=False,
            block_limit=0,
        )
        self.server.start()

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Engine:
        known = cls.engines.get(id(loop))
        if known is None or known.loop is not loop:
            known = cls.engines[id(loop)] = cls(loop)
        return known

    @classmethod
    @contextlib.contextmanager
    def of_kind(cls, kind: Kind) -> Iterator[None]:
        """Engines made in here are of this kind and closed at the end."""
        cls.kind = kind
        try:
            yield
        finally:
            for engine in cls.engines.values():
                if not engine.loop.is_closed():
                    engine.server.close()
            cls.engines.clear()

    def submit(self, task: CarriedTask) -> None:
        self.waiting.append(task)
        connection = self.server.open(None, lambda: None)
        head = b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % (len(self.waiting) - 1)
        # A Task takes its first step in the loop's next turn, and so does this request.
        self.loop.call_soon(self.server.feed, connection, head)

    def handle(self, request: Any) -> Coroutine[Any, Any, object]:
        task = self.waiting[int(request.path[1:])]
        assert task is not None
        return task.begin()

    def taken(self, request: Any) -> CarriedTask:
        number = int(request.path[1:])
        task = self.waiting[number]
        assert task is not None
        self.waiting[number] = None
        return task

    def json_encode(self, value: object) -> bytes:
        raise AssertionError("no encoder runs here")

    def answer(self, request: object, plan: int, value: object) -> _native.Answer:
        # What ran here was what we mean to test.
        assert isinstance(asyncio.current_task(), RequestTask) is (self.kind == "carrier")
        self.taken(request).end(value)
        return _native.Answer(200, [], b"")

    def fail(self, request: object, plan: int | None, error: BaseException) -> _native.Answer:
        self.taken(request).end_with(error)
        return _native.Answer(200, [], b"")

    def miss(self, request: object, allowed: object) -> _native.Answer:
        raise AssertionError("every path is known")

    def guard(self, request: object) -> None:
        return None

    def refusal(self, status: int, code: str, detail: str) -> BaseException:
        return RuntimeError(code)


def is_driver(coro: object) -> bool:
    """Whether this is the engine's own coroutine around a handler that runs as a plain Task."""
    return getattr(coro, "cr_code", None) is streaming._drive.__code__


def task_factory(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
    if is_driver(coro):
        return asyncio.Task(coro, loop=loop, **options)
    options.pop("context", None)
    return CarriedTask(coro, loop=loop, **options)


# The future that is written in Python: it lets us say which exception a cancellation ended with.
PlainFuture: Any = asyncio.futures._PyFuture  # type: ignore[attr-defined]  # the one that is written in Python


class CarriedTask(PlainFuture):  # type: ignore[misc]  # its base is known at run time only
    """What a test holds instead of the Task that it made."""

    number = 0

    def __init__(
        self,
        coro: Coroutine[Any, Any, object],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        name: object = None,
        context: object = None,
        eager_start: bool = False,
    ) -> None:
        if not asyncio.iscoroutine(coro):
            raise TypeError(f"a coroutine was expected, got {coro!r}")
        if context is not None:
            raise TypeError("a request's context is a copy of the server's")
        super().__init__(loop=loop or asyncio.get_running_loop())
        CarriedTask.number += 1
        self.user_coro = coro
        self.name = str(name) if name is not None else f"Request-{CarriedTask.number}"
        self.cancelled_early: list[object] = []
        self.started = False
        Engine.of(self.get_loop()).submit(self)

    # What the engine says.

    def begin(self) -> Coroutine[Any, Any, object]:
        self.started = True
        if self.cancelled_early:
            return cancelled(self.user_coro, self.cancelled_early)
        return self.user_coro

    def end(self, value: object) -> None:
        if not self.done():
            super().set_result(value)

    def end_with(self, error: BaseException) -> None:
        if self.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self._cancelled_exc = error
            super().cancel(*error.args[:1])
        else:
            super().set_exception(error)

    # What the test asks.

    @property
    def request_task(self) -> asyncio.Task[Any] | None:
        loop = self._loop
        if self.done():
            return None
        current = asyncio.current_task(loop)
        for task in [*([current] if current else []), *asyncio.all_tasks(loop)]:
            coro: Any = task.get_coro()
            if is_driver(coro) and coro.cr_frame is not None:
                coro = coro.cr_frame.f_locals[
                    "following" if "following" in coro.cr_frame.f_locals else "coroutine"
                ]
            if coro is self.user_coro:
                return task
        return None

    def cancel(self, msg: Any | None = None) -> bool:
        if self.done():
            return bool(super().cancel(msg))
        task = self.request_task
        if task is not None:
            return task.cancel(msg)
        if self.started:
            return False
        self.cancelled_early.append(msg)
        return True

    def cancelling(self) -> int:
        task = self.request_task
        return len(self.cancelled_early) if task is None else task.cancelling()

    def uncancel(self) -> int:
        task = self.request_task
        if task is not None:
            return task.uncancel()
        if self.cancelled_early:
            self.cancelled_early.pop()
        return len(self.cancelled_early)

    @property
    def _fut_waiter(self) -> object:
        return getattr(self.request_task, "_fut_waiter", None)

    @property
    def _must_cancel(self) -> bool:
        return bool(getattr(self.request_task, "_must_cancel", self.cancelled_early))

    def __repr__(self) -> str:
        task = self.request_task
        return super().__repr__() if task is None else repr(task)

    def get_coro(self) -> Coroutine[Any, Any, object]:
        return self.user_coro

    def get_name(self) -> str:
        return self.name

    def set_name(self, value: object) -> None:
        self.name = str(value)

    def get_stack(self, *, limit: int | None = None) -> list[types.FrameType]:
        task = self.request_task
        return [] if task is None else task.get_stack(limit=limit)

    def print_stack(self, *, limit: int | None = None, file: TextIO | None = None) -> None:
        task = self.request_task
        if task is not None:
            task.print_stack(limit=limit, file=file)


@types.coroutine
def cancelled(coro: Coroutine[Any, Any, object], messages: list[object]) -> Iterator[Any]:
    """What a Task does with a coroutine that it was told to cancel before the first step."""
    message = messages[-1]
    error = asyncio.CancelledError() if message is None else asyncio.CancelledError(message)
    coro.throw(error)
    yield
