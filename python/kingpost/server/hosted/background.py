"""An event loop on a thread of its own, for hosts that have none: one for each process that serves."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from kingpost.server.engine import Engine, Service
from kingpost.server.hosted.service import HostedService
from kingpost.server.options import Options

# Seconds behind the grace of requests in which the application's clean-up is to be done when the process ends.
_CLEAN_UP: float = 10.0


class Call(Protocol):
    """A thread of the host's that waits for an answer."""

    def end(self) -> None:
        """Nobody will answer any more."""
        ...


class Background:
    """A service on a loop of its own.

    Args:
        make: Compiles the application.
        grace: Seconds that requests in flight have at a stop.
    """

    def __init__(self, make: Callable[[], Service], *, grace: float | None = None) -> None:
        _check_threads()
        self._grace = Options().grace if grace is None else grace
        self.calls: set[Call] = set()
        """Those that are not answered."""
        self.loop = asyncio.new_event_loop()
        self._hosted = HostedService(make, grace=grace)
        self._thread = threading.Thread(target=self._live, name="kingpost-loop", daemon=True)
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def start(self) -> Engine:
        """The engine; whoever asks while the application starts waits for it.

        Raises:
            Exception: whatever compiling or start-up raises.
        """
        if self._engine is not None:
            return self._engine
        with self._lock:
            if self._engine is None:
                if not self._thread.is_alive():
                    self._thread.start()
                    atexit.register(self.stop)
                starting = self._hosted.start(contextvars.Context())
                self._engine = asyncio.run_coroutine_threadsafe(starting, self.loop).result()
        return self._engine

    def stop(self) -> None:
        """Runs the application's clean-up and ends the loop. Harmless the second time.

        Raises:
            Exception: whatever clean-up raises.
        """
        atexit.unregister(self.stop)
        engine, self._engine = self._engine, None
        if self.loop.is_closed():
            return
        if not self._thread.is_alive():
            # It was never started.
            self.loop.close()
            return
        try:
            if engine is not None:
                stopping = asyncio.run_coroutine_threadsafe(self._hosted.stop(), self.loop)
                stopping.result(self._grace + _CLEAN_UP)
        finally:
            for call in tuple(self.calls):
                call.end()
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(_CLEAN_UP)

    def context(self) -> contextvars.Context:
        """A copy of the current context, with the variables that start-up has set."""
        context = contextvars.copy_context()
        context.run(self._hosted.enter)
        return context

    def serves(self, method: str, path: bytes) -> bool:
        """Whether a route answers a method on a path."""
        service = self._hosted.service
        found = None if service is None else service.router.find(method, path)
        return found is not None and bool(found) and isinstance(found[0], int)

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Has a function called on the loop."""
        # Closed: the process ends, and nobody is left to be told.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(function, *arguments)

    async def wait_for(self, what: Coroutine[Any, Any, object]) -> None:
        """Has the loop run a coroutine, and waits for it on another loop."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(what, self.loop))

    def _live(self) -> None:
        asyncio.set_event_loop(self.loop)
        while True:
            try:
                self.loop.run_forever()
            except (KeyboardInterrupt, SystemExit):
                # Of a handler on the loop: the process is the host's, and ends by its rules.
                continue
            break
        self.loop.close()


def _check_threads() -> None:
    """Refuses a process in which threads are no threads.

    Raises:
        RuntimeError: gevent or eventlet has replaced them.
    """
    for module, function in (
        ("gevent.monkey", "is_module_patched"),
        ("eventlet.patcher", "is_monkey_patched"),
    ):
        patched = sys.modules.get(module)
        names = ("threading", "thread")
        if patched is not None and any(getattr(patched, function)(name) for name in names):
            raise RuntimeError(
                f"app.wsgi needs real threads, and {module.partition('.')[0]} has replaced them: use gunicorn's gthread worker"
            )
