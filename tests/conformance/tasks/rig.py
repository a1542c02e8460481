"""A server without sockets that runs bare handlers, to see what their tasks see."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Literal

from kingpost import _native
from kingpost.html import Html
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.server.task import RequestTask
from tests.waiting import PATIENCE

Kind = Literal["carrier", "plain"]
Handler = Callable[[], Any]


class Collector:
    """A dispatch that keeps what handlers return and raise."""

    request_type = Request
    html_type = Html
    response_type = Response
    guard_all = False
    warn_markup = False

    def __init__(self) -> None:
        self.results: dict[int, asyncio.Future[object]] = {}
        self.answered = 0

    def json_encode(self, value: object) -> bytes:
        raise AssertionError("no encoder runs here")

    def settle(self, plan: int, result: object) -> _native.Answer:
        self.answered += 1
        future = self.results.get(plan)
        if future is not None and not future.done():
            future.set_result(result)
        return _native.Answer(200, [], b"")

    def answer(self, request: object, plan: int, value: object) -> _native.Answer:
        return self.settle(plan, value[0] if isinstance(value, Kept) else value)

    def fail(self, request: object, plan: int | None, error: BaseException) -> _native.Answer:
        assert plan is not None
        return self.settle(plan, f"{type(error).__name__}: {str(error)[:90]} in {frames(error)}")

    def miss(self, request: object, allowed: object) -> _native.Answer:
        return _native.Answer(404, [], b"")

    def guard(self, request: object) -> None:
        return None

    def refusal(self, status: int, code: str, detail: str) -> BaseException:
        return RuntimeError(code)


def frames(error: BaseException) -> list[str]:
    """The functions that an exception came through, as its traceback names them."""
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
    # The coroutine around a handler that a plain Task is made of; a carrier needs none.
    return names[names[:1] == ["_drive"] :]


class Kept(tuple[object]):
    """A value that no native encoder takes, so that the collector sees it as it is."""

    __slots__ = ()


class Rig:
    """One server per call of `submit`, all on one loop."""

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self.servers: list[_native.Server] = []

    def serve(self, handlers: Sequence[Handler]) -> tuple[_native.Server, Collector]:
        dispatch = Collector()
        router = _native.Router()
        plans: list[_native.Plan] = []
        for index, handler in enumerate(handlers):
            router.add(f"/{index}", ["GET"], index, f"handler {index}")
            plans.append(
                _native.Plan(
                    kept(handler),
                    kind=getattr(handler, "kind", "async"),
                    binders=[],
                    slow=lambda request: ((), {}),
                    name=f"handler {index}",
                )
            )
        server = _native.Server(
            dispatch,
            router,
            plans,
            loop=asyncio.get_running_loop(),
            task_type=RequestTask,
            tasks=self.kind,
            sockets=False,
            block_limit=0,
        )
        server.start()
        self.servers.append(server)
        return server, dispatch

    async def submit(self, handlers: Sequence[Handler], wait: float = PATIENCE) -> list[object]:
        """Run handlers as the pipelined requests of one connection, in one batch; what they gave, in order.

        Args:
            handlers: 16 to a connection.
            wait: seconds, of the loop's own time, after which one that has given nothing gives "HANG".
        """
        loop = asyncio.get_running_loop()
        server, dispatch = self.serve(handlers)
        for index in range(len(handlers)):
            dispatch.results[index] = loop.create_future()
        done = list(dispatch.results.values())
        connections = []
        for start in range(0, len(handlers), 16):
            connection = server.open(None, lambda: None)
            connections.append(connection)
            batch = range(start, min(start + 16, len(handlers)))
            data = b"".join(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % index for index in batch)
            # From a callback of the loop, where no task is current: as the driver does.
            loop.call_soon(server.feed, connection, data)
        results = []
        for future in done:
            try:
                results.append(await asyncio.wait_for(future, wait))
            except TimeoutError:
                results.append("HANG")
        # The engine answers in the step that ends the handler; the connection is dropped when all have ended.
        for connection in connections:
            server.output(connection)
            server.lost(connection)
        return results

    def close(self) -> None:
        for server in self.servers:
            server.close()


def kept(handler: Handler) -> Handler:
    """The handler with its value wrapped; everything else, its name in a stack included, is the handler's own."""
    if getattr(handler, "bare", False):
        return handler
    if getattr(handler, "kind", "async") == "inline":
        return lambda: Kept((handler(),))

    async def run() -> Kept:
        return Kept((await handler(),))

    return run
