"""`AsgiMiddleware`: middleware that was written for ASGI 3, around routes of ours.

Rule 1: for each request the middleware runs in a task of its own, and what lies inside it runs in that task: context variables that it sets
are there for the handler, and what it opens around the application is closed where it was opened.
Rule 2: nothing is kept. A streamed answer is handed on chunk by chunk; a body that the route reads as a stream comes through the `receive`
that the application was called with, when somebody asks.
Rule 3: an exception that nobody meant for the client is raised in the middleware behind the answer that error handlers made of it. So its
status and header fields are seen, and so is the exception. Where the middleware answers in its turn, that is the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, cast

from kingpost._native import FileBody
from kingpost.http.request import Request, Seen
from kingpost.http.response import Chunks, Response
from kingpost.interop.asgi_exchange import (
    App,
    ClientLeft,
    Exchange,
    Receive,
    Received,
    Scope,
    Send,
)
from kingpost.middleware.decided import decided
from kingpost.middleware.refusal import refused
from kingpost.middleware.streams import BLOCKING, Pieces
from kingpost.routing.around import CallNext
from kingpost.routing.hosts import without_port

Options = ParamSpec("Options")

EXCHANGE: Final = "kingpost.exchange"
"""Where the scope carries what the application inside has to know."""

SCOPE: Final = "asgi_scope"
"""Where a request keeps the scope that the application was called with."""

VERSIONS: Final = {"version": "3.0", "spec_version": "2.4"}


class AsgiRoute(NamedTuple):
    """What `scope["route"]` is: the route that answers.

    Attributes:
        path: its pattern, such as "/todos/{id:int}".
        path_format: the same without what converts the parameters: "/todos/{id}".
        name: as `url_for` knows it; empty where it has none.
    """

    path: str
    path_format: str
    name: str


class AsgiMiddleware:
    """Runs middleware that was written for ASGI 3 around routes: on the App, on a blueprint, on a route.

    The scope has what the specification asks for, and what tools look for in it: `route`, `endpoint` and `path_params`, known before the
    middleware is called. What it changes in `client` and `scheme`, the handler sees; `asgi_scope` gives the handler all of it. A body that
    is complete before the handler is called is the handler's as the client sent it, whatever the middleware does to `receive`.

    Args:
        cls: The class of the middleware, or a function that makes one; called once, here, with the application and the options.
        args: Further arguments of it.
        options: The same, by name.

    Raises:
        ConfigurationError: `interop.no-asgi-middleware`: it cannot be called so, or what it makes is no application.

    Example:
        `app.middleware(AsgiMiddleware(CorrelationIdMiddleware, header_name="X-Correlation-ID"))`
    """

    def __init__(
        self,
        cls: Callable[Concatenate[Any, Options], object],
        *args: Options.args,
        **options: Options.kwargs,
    ) -> None:
        name = getattr(cls, "__name__", repr(cls))
        try:
            made: object = cls(application, *args, **options)
        except TypeError as error:
            raise refused(
                "interop.no-asgi-middleware",
                f"{name} cannot be called with an application and these options: {error}",
                "give the class itself, and its options: AsgiMiddleware(Class, option=…)",
            ) from error
        if not callable(made):
            raise refused(
                "interop.no-asgi-middleware",
                f"{name} has made {made!r}, which cannot be called",
                "give a class whose objects are ASGI applications",
            )
        self._app = cast("App", made)
        self._class = cls
        # How `kingpost routes explain` and the task of a request call it.
        self.__name__ = f"AsgiMiddleware({name})"

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        exchange = Exchange(request, call_next, self._class)
        scope = scope_of(request)
        scope[EXCHANGE] = exchange
        task = asyncio.get_running_loop().create_task(
            self._run(scope, exchange), name=self.__name__
        )
        return await exchange.answer(task)

    async def _run(self, scope: Scope, exchange: Exchange) -> None:
        await self._app(scope, exchange.receive, exchange.send)


def asgi_scope(request: Request) -> Scope:
    """The scope as the innermost `AsgiMiddleware` around a route has left it: `asgi_scope(request)["user"]`.

    Args:
        request: What a handler, or what runs around it, was called with.

    Raises:
        LookupError: No AsgiMiddleware is around this route.
    """
    scope: Scope | None = request.cache.get(SCOPE)
    if scope is None:
        raise LookupError(
            "no AsgiMiddleware is around this route: put one into the middleware= of the route, its blueprint or the App"
        )
    return scope


def scope_of(request: Request) -> Scope:
    """The scope of a request (ASGI, HTTP & WebSocket protocol, version 2.4)."""
    client, scheme = request.client, request.scheme
    path, path_format, name, handler = request.dispatch.endpoint_of(request)
    return {
        "type": "http",
        "asgi": VERSIONS.copy(),
        "http_version": request.http_version,
        "method": request.method,
        "scheme": scheme,
        "path": request.path,
        "raw_path": request.raw_path,
        "query_string": request.query_string,
        # Paths of ours are told whole, those of mounted Apps as well.
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        # The port is the proxy's more often than not, and kept by nobody.
        "client": None if client is None else (client, 0),
        "server": server_of(request.host, scheme),
        "state": {},
        "extensions": {},
        "path_params": dict(request.path_params),
        "route": AsgiRoute(path, path_format, name) if path else None,
        "endpoint": handler,
    }


def server_of(host: str, scheme: str) -> tuple[str, int] | None:
    """The name and port that the client has asked for."""
    if not host:
        return None
    name = without_port(host)
    port = host[len(name) + 1 :]
    if port.isdecimal():
        return name, int(port)
    return name, 443 if scheme == "https" else 80


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """What is inside of every AsgiMiddleware: the rest of the request. A plain function: some tell ASGI 2 and 3 apart by looking at it."""
    exchange = scope.get(EXCHANGE)
    if not isinstance(exchange, Exchange):
        raise RuntimeError(  # noqa: TRY004 - what is wrong is not a type
            "the ASGI middleware has called the application with a scope of its own making; it has to pass on the one it got, or a copy"
        )
    request = exchange.request
    see(request, scope)
    if exchange.stream is not None:
        request.__receive__(Received(exchange.stream.length, receive))
    request.__fail__(None)
    response = await exchange.call_next(request)
    failure = exchange.failure = request.failure
    await send_response(exchange, response, send)
    if failure is not None:
        raise failure


def see(request: Request, scope: Scope) -> None:
    """Have the request say what the middleware has found out about the client, and keep the scope."""
    request.cache[SCOPE] = scope
    peer = scope.get("client")
    client, scheme = None if peer is None else str(peer[0]), str(scope.get("scheme", "http"))
    if (client, scheme) != (request.client, request.scheme):
        request.__see__(Seen(client, scheme, request.host))


async def send_response(exchange: Exchange, response: Response[Any], send: Send) -> None:
    """Send a response as messages; returns early where the client leaves."""
    response = await decided(exchange.request, response)
    status, body = response.status, response.encoded or b""
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers.pairs()
    ]
    if isinstance(body, FileBody):
        body = b"".join(body) if body.length <= BLOCKING else Pieces(body)
    length = len(body) if isinstance(body, bytes) else getattr(body, "length", None)
    if length is not None and status not in (204, 304):
        headers.append((b"content-length", b"%d" % length))
    start = {"type": "http.response.start", "status": status, "headers": headers}
    if isinstance(body, bytes):
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return
    exchange.idle = getattr(body, "idle", None)
    try:
        await send_stream(start, body, send)
    except ClientLeft:
        # The chunks are closed, which is how the handler learns; for the middleware it is no failure.
        return


async def send_stream(start: dict[str, Any], chunks: Chunks, send: Send) -> None:
    try:
        await send(start)
        # The head leaves now; the first event of a stream may be an hour away.
        await send(part(b""))
        if isinstance(chunks, AsyncIterator):
            async for chunk in chunks:
                await send(part(chunk))
        else:
            for chunk in chunks:
                await send(part(chunk))
    finally:
        close = getattr(chunks, "aclose", None) or getattr(chunks, "close", None)
        closing = None if close is None else close()
        if isinstance(closing, Awaitable):
            await closing
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def part(chunk: bytes | str) -> dict[str, Any]:
    body = chunk.encode() if isinstance(chunk, str) else chunk
    return {"type": "http.response.body", "body": body, "more_body": True}
