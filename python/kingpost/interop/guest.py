"""`Guest`: an application that was written for ASGI or WSGI, served by our engine as it is.

Rule 1: its answers are sent as they are; nothing is added to them, and nothing of ours (middleware, the host check, the check where a
request comes from) stands before it.
Rule 2: bodies are never gathered, in either direction; `max_body` bounds what it may read.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from kingpost import _native
from kingpost.http.counting import together
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.interop.asgi_lifespan import Lifespan
from kingpost.interop.asgi_websocket import socket_runner
from kingpost.interop.interface import Interface, is_coroutine_function
from kingpost.interop.told import Prepare, teller
from kingpost.middleware.proxies import TrustedProxies
from kingpost.types import Mode

MAX_BODY: Final = 1 << 30
"""Bytes that a request's body may have for a guest if nobody says otherwise: 1 GiB. It is read as the guest asks for it, so this
bounds what one client can have it do, not memory."""

ASGI: Final = {"version": "3.0", "spec_version": "2.4"}
EXTENSIONS: Final = (
    "http.response.early_hint",
    "http.response.pathsend",
    "http.response.trailers",
)

LOGGER: Final = "kingpost.guest"


class Guest:
    """An application of somebody else's at a path.

    Args:
        app: the application.
        interface: how it is called.
        prefix: the path that it is mounted at, such as "/shop"; empty for "/".
        name: what it is called in messages.
        max_body: bytes that a request's body may have.
        root: what a proxy in front has taken from the paths, such as "/shop".
        proxies: tells who asks, behind proxies.

    Attributes:
        state: its lifespan state; a WSGI application has none.
        prepare: find out who asks, before the application is called; see `kingpost.interop.told`.
    """

    def __init__(
        self,
        app: Any,
        interface: Interface,
        *,
        prefix: str = "",
        name: str = "the application",
        max_body: int = MAX_BODY,
        root: str = "",
        proxies: TrustedProxies | None = None,
    ) -> None:
        self.app = app
        self.interface: Interface = interface
        self.prefix = prefix
        self.name = name
        self.max_body = max_body
        self.root = root
        self.state: dict[str, Any] = {}
        self.proxies = proxies
        self.prepare: Sequence[Prepare] = () if proxies is None else (proxies.__before_guard__,)
        self._template: dict[str, Any] = (
            scope_template(root + prefix)
            if interface == "asgi"
            else environ_template(root + prefix)
        )

    def plan(self) -> _native.Plan:
        """How the engine calls it."""
        native = (
            _native.Guest(
                self._called(),
                self._template,
                prefix=self.prefix,
                root=self.root,
                state=self.state,
                extensions={name: {} for name in EXTENSIONS},
                socket=socket_runner(self._called()),
                proxies=teller(self.prepare),
            )
            if self.interface == "asgi"
            else _native.Guest(
                self.app, self._template, prefix=self.prefix, proxies=teller(self.prepare)
            )
        )
        return _native.Plan(
            native,
            kind=self.interface,
            binders=[],
            slow=nothing,
            max_body=self.max_body,
            stream_body=True,
            name=self.name,
        )

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Its start-up and clean-up."""
        if self.interface == "wsgi":
            # Not known before: what is imported once serves in many processes. Under a supervisor there is always another one,
            # if only while one takes over from the other.
            self._template["wsgi.multiprocess"] = together() is not None
            return contextlib.nullcontext()
        return Lifespan(self._called(), self.name, self.state).running()

    def _called(self) -> Callable[..., Awaitable[None]]:
        """The application as a coroutine function: what it does before its first `await` must happen in its own task, too."""
        app: Callable[..., Awaitable[None]] = self.app
        if is_coroutine_function(app):
            return app

        async def call(scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)

        return call


def scope_template(prefix: str) -> dict[str, Any]:
    """What every scope has, in its order; the engine fills in what a request says."""
    return {
        "type": "http",
        "asgi": ASGI,
        "http_version": "1.1",
        "server": None,
        "client": None,
        "scheme": "http",
        "method": "GET",
        "root_path": prefix,
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [],
        "extensions": {},
        "state": {},
    }


def environ_template(prefix: str) -> dict[str, Any]:
    """What every environ has; the engine fills in what a request says."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": _native.FileWrapper,
        # The end of the body is the end of the input, however it was framed.
        "wsgi.input_terminated": True,
        "SERVER_SOFTWARE": "kingpost",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_METHOD": "GET",
        # Bytes as ISO 8859-1 (PEP 3333).
        "SCRIPT_NAME": prefix.encode().decode("latin-1"),
        "PATH_INFO": "/",
        "QUERY_STRING": "",
    }


def nothing(_: object) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a guest: the engine makes them."""
    return (), {}


class GuestService:
    """A service that is one guest, and nothing else.

    Attributes:
        guests: where it is mounted: the path, and the index of its plan.
        trusted_peers: networks of the proxies that are believed, as address and length of their prefix.
    """

    def __init__(self, guest: Guest, *, mode: Mode) -> None:
        self.mode: Mode = mode
        proxies = guest.proxies
        self.trusted_peers: Sequence[tuple[str, int]] = (
            () if proxies is None else proxies.__trusted_peers__
        )
        self.guest = guest
        self.router = _native.Router()
        self.plans = [guest.plan()]
        self.guests = [(guest.prefix, 0)]
        self.dispatch = GuestDispatch(guest.name)
        self.context = contextvars.copy_context()
        self.operations: object | None = None

    def operate(self, operations: object) -> None:
        """Have this service answer those who run it, on the port of `--ops-port`, and be measured for them."""
        self.operations = operations
        self.dispatch.measures = True

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start-up on entering, clean-up on leaving."""
        async with self.guest.lifespan():
            yield

    def attach(self, call: object) -> None:
        """Runs nothing on threads but the guest."""

    async def idle(self) -> None:
        """What a guest leaves behind is its own."""


class GuestDispatch:
    """The dispatch of a `GuestService`: no route of ours is asked, so nothing is but `guest_failed`."""

    request_type = Request
    html_type = str
    response_type: type[Any] = Response
    guard_all = False
    warn_markup = False

    measures = False
    labels = ("/*",)
    readings: object | None = None

    def __init__(self, name: str) -> None:
        self._name = name

    def json_encode(self, value: object) -> bytes:
        raise TypeError("no route gives a value")

    def answer(self, request: Request, plan: int, value: object, /) -> _native.Answer:
        raise TypeError("no route gives a value")

    def guard(self, request: Request, /) -> None:
        return None

    def fail(self, request: Request, plan: int | None, error: BaseException, /) -> _native.Answer:
        self.guest_failed(request, error)
        return _native.Answer(500, [("content-type", "text/plain; charset=utf-8")], ERROR)

    def miss(self, request: Request, allowed: tuple[str, ...] | None, /) -> _native.Answer:
        return _native.Answer(404, [("content-type", "text/plain; charset=utf-8")], b"Not Found")

    def refusal(self, status: int, code: str, sentence: str, /) -> BaseException:
        return OSError(f"{code}: {sentence}")

    def guest_failed(self, request: Request, error: BaseException, /) -> None:
        """A guest has raised, or has broken its interface."""
        logging.getLogger(LOGGER).error(
            "%s %r failed in %s", request.method, request.path, self._name, exc_info=error
        )


ERROR: Final = b"Internal Server Error"
