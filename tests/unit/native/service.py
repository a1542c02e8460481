"""A server on real sockets with bare plans, for what the engine does with Python."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from kingpost import _native
from kingpost.html import Html
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.server.task import RequestTask
from kingpost.server.threads import WorkerThreads
from tests.waiting import PATIENCE

Route = tuple[str, Callable[..., Any], str, dict[str, Any]]


class Plain:
    """A dispatch that answers str and iterators, and tells exceptions by their names."""

    request_type = Request
    html_type = Html
    response_type = Response
    guard_all = False
    warn_markup = False

    def __init__(self) -> None:
        self.failures: list[BaseException] = []

    def json_encode(self, value: object) -> bytes:
        return repr(value).encode()

    def answer(self, request: object, plan: int, value: Any) -> _native.Answer:
        if hasattr(value, "__next__") or hasattr(value, "__anext__"):
            return _native.Answer(200, [("content-type", "text/plain")], value)
        return _native.Answer(200, [], repr(value).encode())

    def fail(self, request: object, plan: int | None, error: BaseException) -> _native.Answer:
        self.failures.append(error)
        return _native.Answer(500, [], type(error).__name__.encode())

    def miss(self, request: object, allowed: tuple[str, ...] | None) -> _native.Answer:
        return _native.Answer(405 if allowed else 404, [], b"")

    def guard(self, request: object) -> None:
        return None

    def refusal(self, status: int, code: str, detail: str) -> BaseException:
        return RuntimeError(code)


class Service:
    """A running server and what belongs to it."""

    def __init__(self, server: _native.Server, dispatch: Plain, port: int) -> None:
        self.server = server
        self.dispatch = dispatch
        self.port = port

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def get(
        self, path: str, *, method: str = "GET", body: bytes = b"", fields: str = ""
    ) -> tuple[int, bytes]:
        """One request on a connection of its own: status and body."""
        async with self.connect() as (reader, writer):
            length = f"content-length: {len(body)}\r\n" if body else ""
            head = (
                f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{fields}{length}\r\n"
            )
            writer.write(head.encode() + body)
            data = await asyncio.wait_for(reader.read(), PATIENCE)
        head_bytes, _, rest = data.partition(b"\r\n\r\n")
        status = int(head_bytes.split()[1])
        if b"transfer-encoding: chunked" in head_bytes:
            rest = unchunked(rest)
        return status, rest


def unchunked(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        body += data[:length]
        data = data[length + 2 :]
    return body


@contextlib.asynccontextmanager
async def serving(routes: Sequence[Route], **options: Any) -> AsyncIterator[Service]:
    """A server with these routes: (path, handler, kind, options of its Plan)."""
    loop = asyncio.get_running_loop()
    dispatch = Plain()
    router = _native.Router()
    plans = []
    for index, (path, handler, kind, plan_options) in enumerate(routes):
        methods = ["WEBSOCKET"] if kind == "websocket" else ["GET", "POST"]
        router.add(path, methods, index, f"route {index}")
        given: dict[str, Any] = {
            "binders": [],
            "slow": lambda request: ((), {}),
            "name": path,
            **plan_options,
        }
        if kind == "websocket":
            given["binders"] = [("request",)]
            kind = "async"  # noqa: PLW2901 - that is what its plan is
        plans.append(_native.Plan(handler, kind=kind, **given))  # type: ignore[arg-type]  # options as each test gives them
    threads = WorkerThreads(loop)
    server = _native.Server(
        dispatch, router, plans, loop=loop, task_type=RequestTask, spawn=threads.spawn, **options
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    listener.setblocking(False)
    descriptor = server.fileno()
    loop.add_reader(descriptor, server.poll)
    server.start()
    server.listen(listener.fileno())
    try:
        yield Service(server, dispatch, listener.getsockname()[1])
    finally:
        loop.remove_reader(descriptor)
        server.close()
        listener.close()
        assert threads.alive(PATIENCE) == []
