"""A service that is started on somebody else's event loop, and the engine that serves it there."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from contextvars import Context, ContextVar, Token
from typing import Any, Final

from kingpost.server.engine import Engine, Service
from kingpost.server.operations import warn_of_host
from kingpost.server.options import Options

# Connections are the host's to count: ours are one for each request.
_OF_HOST: Final = {"connections": 1 << 30, "connections_per_peer": 1 << 30}


class HostedService:
    """Starts with the first request, or when the host says so, and serves until it is stopped.

    Args:
        make: Compiles the application.
        grace: Seconds that requests in flight have at a stop.
    """

    def __init__(self, make: Callable[[], Service], *, grace: float | None = None) -> None:
        self._make = make
        self._grace = Options().grace if grace is None else grace
        self._service: Service | None = None
        self._engine: Engine | None = None
        self._life: asyncio.Task[None] | None = None
        self._started: asyncio.Future[Engine] | None = None
        self._over = asyncio.Event()
        self._around = Context()
        self._variables: list[tuple[ContextVar[Any], Any]] = []

    @property
    def engine(self) -> Engine | None:
        """The engine of a service that runs."""
        return self._engine

    @property
    def service(self) -> Service | None:
        """What is served, once it was compiled."""
        return self._service

    async def start(self, around: Context | None = None) -> Engine:
        """Compiles the application and runs its start-up; whoever asks meanwhile waits for the same.

        Args:
            around: The context to start in; an empty one where it is only a request's that is there.

        Raises:
            Exception: whatever compiling or start-up raises. The next call tries it again.
        """
        if self._engine is not None:
            return self._engine
        if self._started is None:
            loop = asyncio.get_running_loop()
            self._started = loop.create_future()
            self._over = asyncio.Event()
            self._around = Context() if around is None else around.copy()
            service = self._service = self._made(self._started)
            if service is not None:
                self._life = loop.create_task(
                    self._live(service, self._started, self._over),
                    name="kingpost-hosted",
                    context=service.context,
                )
        started = self._started
        try:
            return await asyncio.shield(started)
        finally:
            if started.done() and started.exception() is not None and self._started is started:
                self._started = None

    async def stop(self) -> None:
        """Finishes what is in flight and runs the application's clean-up. Harmless where it does not run.

        Raises:
            Exception: whatever clean-up raises.
        """
        life, self._life, self._started = self._life, None, None
        if life is None:
            return
        self._over.set()
        await life

    def enter(self) -> list[Token[Any]]:
        """Sets, in the current context, the variables that start-up has set; what undoes it."""
        return [variable.set(value) for variable, value in self._variables]

    def _made(self, started: asyncio.Future[Engine]) -> Service | None:
        try:
            return self._around.copy().run(self._make)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            started.set_exception(error)
            return None

    async def _live(
        self, service: Service, started: asyncio.Future[Engine], over: asyncio.Event
    ) -> None:
        try:
            async with service.lifespan():
                await self._serve(service, started, over)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(
        self, service: Service, started: asyncio.Future[Engine], over: asyncio.Event
    ) -> None:
        context, options = contextvars.copy_context(), Options(limits=_OF_HOST)
        missing = object()
        self._variables = [
            (variable, value)
            for variable, value in context.items()
            if self._around.get(variable, missing) is not value
        ]
        warn_of_host(service)
        engine = Engine(
            service, options, loop=asyncio.get_running_loop(), context=context, sockets=False
        )
        self._engine = engine
        try:
            started.set_result(engine)
            await over.wait()
            await engine.drain(self._grace)
        finally:
            self._engine = None
            engine.close()
