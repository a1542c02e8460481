"""The native engine on one event loop, with the threads that belong to it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from typing import Any, Protocol

from kingpost import _native
from kingpost.logging.request import request_variable
from kingpost.server import streaming
from kingpost.server.options import Options
from kingpost.server.readings import readings_of
from kingpost.server.shared import here
from kingpost.server.task import RequestTask
from kingpost.server.threads import WorkerThreads
from kingpost.types import Mode

# How often a stopping server looks whether it is done: seconds.
_LOOK_EVERY = 0.01
QUIET = 0.25
"""Seconds that idle connections stay open when a server stops: who has just asked is still answered."""
# Seconds behind our own deadline at which the engine would cut off what is left by itself.
_MUCH_LATER = 3600.0


class Service(Protocol):
    """What a server serves: an application compiled for one mode. The server knows nothing else of it."""

    @property
    def mode(self) -> Mode: ...
    @property
    def dispatch(self) -> object: ...
    @property
    def trusted_peers(self) -> Sequence[tuple[str, int]]:
        """Networks of proxies, as address and length of their prefix: each speaks for many, and may hold as many connections."""
        ...

    @property
    def router(self) -> _native.Router: ...
    @property
    def plans(self) -> Sequence[_native.Plan]: ...
    @property
    def context(self) -> Context:
        """The context in which start-up, requests and clean-up run."""
        ...

    def lifespan(self) -> AbstractAsyncContextManager[object]:
        """Start-up on entering, clean-up on leaving; both in one task."""
        ...

    def attach(self, call: Callable[[Callable[[], Any]], Awaitable[Any]] | None) -> None:
        """Told how to run a function on a worker thread, and None when the threads end."""
        ...

    async def idle(self) -> None:
        """Returns when nothing that a request left behind runs any more."""
        ...


class Engine:
    """A `_native.Server` for one service on one loop, from start-up to the end of its threads."""

    def __init__(
        self,
        service: Service,
        options: Options,
        *,
        loop: asyncio.AbstractEventLoop,
        context: Context,
        sockets: bool,
        dispatch: object | None = None,
    ) -> None:
        self.threads = WorkerThreads(loop)
        # A dispatch that takes nothing has no use for it.
        with contextlib.suppress(AttributeError):
            taker: Any = service.dispatch if dispatch is None else dispatch
            taker.request_var = request_variable()
        self.server = _native.Server(
            service.dispatch if dispatch is None else dispatch,
            service.router,
            service.plans,
            loop=loop,
            task_type=RequestTask if options.tasks == "carrier" else asyncio.Task,
            context=context,
            limits=dict(options.limits) or None,
            tasks=options.tasks,
            sockets=sockets,
            threads=options.threads,
            queue=options.queue,
            spawn=self.threads.spawn,
            trusted_peers=service.trusted_peers,
            # Most services have none, and need not say so.
            mounts=getattr(service, "guests", ()),
            spared=getattr(service, "spared", ()),
            http=options.http,
        )
        self.server.start()
        self._readings = readings_of(service.dispatch, self.server, loop, here())
        if self._readings is not None:
            self._readings.start()
        service.attach(self.server.call_in_thread)
        self._service = service
        self._hurry = asyncio.Event()
        self._is_draining = False

    @property
    def busy(self) -> int:
        """Requests that are not answered to the last byte; a handler in its first step is not among them."""
        return self.server.in_flight

    def hurry(self) -> None:
        """Ends a drain that is under way, and makes the next one end at once."""
        self._hurry.set()

    def quieten(self, quiet: float) -> None:
        """Has a drain that is under way close connections that are idle for `quiet` seconds from now on."""
        if self._is_draining:
            self.server.stop(_MUCH_LATER, quiet)

    async def drain(self, grace: float, quiet: float = QUIET) -> int:
        """Finishes what is in flight, for `grace` seconds at most; returns how many requests were cut off.

        Connections that are idle for `quiet` seconds are closed.
        """
        deadline = time.monotonic() + grace
        self._is_draining = True
        # What is cut off is counted here, then `close` does it: the engine's own deadline must not come first, however long
        # a handler holds up the loop.
        self.server.stop(0.0 if self._hurry.is_set() else grace + _MUCH_LATER, quiet)
        idle = asyncio.ensure_future(self._service.idle())
        try:
            while not self._hurry.is_set() and time.monotonic() < deadline:
                if not self.server.connections and not self.busy and idle.done():
                    return 0
                streaming.end_lasting_streams()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(
                        self._hurry.wait(), min(_LOOK_EVERY, max(0.0, deadline - time.monotonic()))
                    )
            return self.busy
        finally:
            self._is_draining = False
            idle.cancel()

    def close(self) -> None:
        """Closes every connection and ends the threads; those in user code are left to themselves."""
        self._service.attach(None)
        if self._readings is not None:
            self._readings.stop()
        self.threads.cancel_calls()
        self.server.close()
