"""The application under test: started once, served by the real engine without sockets."""

from __future__ import annotations

import asyncio
import contextvars
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol, cast

from kingpost.server.engine import Engine, Service
from kingpost.server.hosted.asgi import AsgiApplication
from kingpost.server.hosted.wsgi import WsgiApplication
from kingpost.server.operations import warn_of_host
from kingpost.server.options import Options
from kingpost.testing.exchange import Exchange
from kingpost.testing.hosted import (
    AnyExchange,
    AnyTalkExchange,
    AsgiExchange,
    WsgiExchange,
    interface,
)
from kingpost.testing.hosted_talk import AsgiTalkExchange

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.http.request import Request

# What the server calls a request; an application may call it otherwise.
OWN_ID = re.compile("[0-9a-f]{16}")
# Unhandled exceptions that nobody has asked for yet; the oldest is dropped.
_KEPT_ERRORS = 100
# Seconds that requests in flight have when a test ends.
_GRACE = 2.0


class _Unhandled(Protocol):
    """The part of a dispatch that tells of exceptions which no error handler took."""

    unhandled: object


class TestHost:
    """An App that is started and stopped on the running loop; start-up and clean-up are one task."""

    __test__ = False

    def __init__(self, app: App) -> None:
        self._app = app
        self._asgi: AsgiApplication | None = None
        self._wsgi: WsgiApplication | None = None
        self._engine: Engine | None = None
        self._service: Service | None = None
        self._life: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] | None = None
        self._over: asyncio.Event | None = None
        self._errors: OrderedDict[str, BaseException] = OrderedDict()

    @property
    def engine(self) -> Engine:
        """The engine of a host that was started."""
        if self._engine is None:
            raise RuntimeError("the app under test is not running")
        return self._engine

    async def start(self) -> None:
        """Compiles the App for mode "test" and runs its start-up; does nothing when that is done.

        Raises:
            Exception: whatever start-up raises.
        """
        match interface():
            case "asgi":
                await self._start_asgi()
                return
            case "wsgi":
                await self._start_wsgi()
                return
            case "native":
                pass
        if self._started is None:
            service = self._compile()
            loop = asyncio.get_running_loop()
            self._started = loop.create_future()
            self._over = asyncio.Event()
            self._life = loop.create_task(
                self._live(service, self._started, self._over),
                name="kingpost-test",
                context=service.context,
            )
        await asyncio.shield(self._started)

    def gives_json(self, path: bytes) -> bool:
        """Whether the WebSocket of a path is declared to send JSON."""
        messages = getattr(self._service, "messages_at", None)
        found = None if messages is None else messages(path)
        return found is not None and found.gives_json

    async def stop(self) -> None:
        """Runs the App's clean-up and ends its threads.

        Raises:
            Exception: whatever clean-up raises.
        """
        asgi, self._asgi = self._asgi, None
        if asgi is not None:
            await asgi.here().stop()
        wsgi, self._wsgi = self._wsgi, None
        if wsgi is not None:
            await asyncio.to_thread(wsgi.here().stop)
        life, self._life = self._life, None
        if life is None or self._over is None:
            return
        self._over.set()
        await life

    def exchange(self, method: str, what: str, timeout: float | None) -> AnyExchange:
        """Room for one request; the host was started."""
        if self._asgi is not None:
            return AsgiExchange(self._asgi, what, timeout)
        if self._wsgi is not None:
            return WsgiExchange(self._wsgi, what, timeout)
        return Exchange(self.engine.server, method, what, timeout)

    def conversation(self, what: str, timeout: float | None) -> AnyTalkExchange:
        """Room for one WebSocket."""
        if self._asgi is not None:
            return AsgiTalkExchange(self._asgi, what, timeout)
        return Exchange(self.engine.server, "GET", what, timeout, talks=True)

    async def settle(self) -> None:
        """Waits for what answered requests left to be done after the last byte."""
        # Two turns: the task that sent the last byte ends in the first.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if self._service is not None:
            if self._wsgi is None:
                await self._service.idle()
            else:
                await self._wsgi.here().wait_for(self._service.idle())

    def error_of(self, request_id: str) -> BaseException | None:
        """The exception that a request ended with, once; of the latest request where the id is not known, or not the server's."""
        if OWN_ID.fullmatch(request_id):
            return self._errors.pop(request_id, None)
        return self._errors.popitem()[1] if self._errors else None

    def forget_errors(self) -> None:
        """Drops what nobody asked for."""
        self._errors.clear()

    def _compile(self) -> Service:
        from kingpost.app.compile import compile_app

        service: Service = compile_app(self._app, mode="test")
        cast("_Unhandled", service.dispatch).unhandled = self._remember
        self._service = service
        return service

    async def _start_asgi(self) -> None:
        if self._asgi is None:
            self._asgi = AsgiApplication(self._compile, grace=_GRACE)
        await self._asgi.here().start(contextvars.copy_context())

    async def _start_wsgi(self) -> None:
        if self._wsgi is None:
            self._wsgi = WsgiApplication(self._compile, grace=_GRACE)
        await asyncio.to_thread(self._wsgi.here().start)

    def _remember(self, request: Request, error: BaseException) -> None:
        self._errors[request.id] = error
        while len(self._errors) > _KEPT_ERRORS:
            self._errors.popitem(last=False)

    async def _live(
        self, service: Service, started: asyncio.Future[None], over: asyncio.Event
    ) -> None:
        try:
            async with service.lifespan():
                loop, context = asyncio.get_running_loop(), contextvars.copy_context()
                warn_of_host(service)
                engine = self._engine = Engine(
                    service, Options(), loop=loop, context=context, sockets=False
                )
                try:
                    started.set_result(None)
                    await over.wait()
                    await engine.drain(_GRACE)
                finally:
                    self._engine = None
                    engine.close()
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)
