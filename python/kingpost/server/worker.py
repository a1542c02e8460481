"""One worker: an event loop, an engine and an application, from start-up to the last byte."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Literal

from kingpost import _native
from kingpost.server import logs
from kingpost.server.engine import QUIET, Engine, Service
from kingpost.server.listen import Listener
from kingpost.server.loops import new_loop
from kingpost.server.operations import operated
from kingpost.server.options import Options
from kingpost.server.protocol import TransportShell
from kingpost.server.proxy_protocol import proxies_of, refuse_without_driver
from kingpost.server.shared import here
from kingpost.server.signals import handled

CLEAN_UP = 3.0
"""Seconds that clean-up has at least, however much of the grace requests have taken."""
CANCEL_GRACE = 2.0
"""Seconds that tasks have to end after they were cancelled."""


class Worker:
    """Serves `service` on `listeners` until it is told to stop.

    It closes the listeners when it stops. `on_ready` is called on the loop once connections are accepted,
    `on_leaving` once none is accepted any more. `operations` are the sockets for those who run the service; they stay the caller's.
    """

    def __init__(
        self,
        service: Service,
        listeners: Sequence[Listener],
        options: Options,
        *,
        dispatch: object | None = None,
        on_ready: Callable[[asyncio.AbstractEventLoop], None] | None = None,
        on_leaving: Callable[[], None] | None = None,
        operations: Sequence[Listener] = (),
    ) -> None:
        self._service = service
        self._listeners = listeners
        self._options = options
        self._dispatch = dispatch
        self._on_ready = on_ready
        self._on_leaving = on_leaving
        self._operations = operations
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None
        self._stopping = asyncio.Event()
        self._asked: Literal["", "stop", "now"] = ""
        self._hurried = False
        self._signals = 0
        self._exit_code = 0
        self._grace = options.grace
        self._quiet = QUIET
        self._deadline: float | None = None
        self._is_serving = False
        self._end: asyncio.TimerHandle | None = None
        """When start-up, or clean-up, is cut off."""
        self._is_cut_off = False
        self._is_left = False
        self._main_task: asyncio.Task[None] | None = None

    # -- from outside ------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Runs on the calling thread until stopped; returns the exit status that a process should have.

        Raises:
            Exception: whatever the application's start-up or clean-up raises.
        """
        loop = self._loop = new_loop(self._options.loop)
        try:
            with handled(self._on_signal):
                # A context of its own: what the lifespan sets there is what every request starts from.
                main = loop.create_task(
                    self._main(), name="kingpost-main", context=self._service.context
                )
                self._main_task = main
                self._run_to_end(loop, main)
            return self._exit_code
        finally:
            self._loop = None
            loop.close()

    def stop(self, *, now: bool = False, grace: float | None = None, quiet: float = QUIET) -> None:
        """Asks the worker to stop, from any thread: gracefully, or at once. Harmless when it has stopped.

        Args:
            now: What is in flight is cut off.
            grace: Seconds for what is in flight; what the options say if it is not said. Told later it counts from then, where it ends earlier.
            quiet: Seconds after which a connection on which nobody asks is closed; longer where somebody else serves who comes anew.
        """
        if grace is not None:
            self._grace = min(self._grace, grace)
        self._quiet = quiet
        # Written before the loop is looked for: a worker that is not running yet reads it when it is.
        self._asked = "now" if now else self._asked or "stop"
        self.soon(lambda: self._stop(now=now, sooner=grace))

    def soon(self, call: Callable[[], object]) -> None:
        """Calls something on the loop, from any thread or handler of a signal; nothing where that does not run."""
        loop = self._loop
        if loop is None:
            return
        # RuntimeError: the loop has closed meanwhile.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(call)

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop, by a call or a signal."""
        return self._stopping.is_set() or bool(self._asked)

    @property
    def requests(self) -> int:
        """How many requests there were, ever."""
        return 0 if self._engine is None else self._engine.server.requests

    def stuck_threads(self, wait: float = 0.0) -> list[str]:
        """Names of the threads that are still in user code after `wait` seconds: the worker's, and its own where the loop had to be left."""
        left = ["the event loop"] if self._is_left else []
        if self._engine is not None:
            left += [thread.name for thread in self._engine.threads.alive(wait)]
        return left

    # -- on the loop -------------------------------------------------------------------------------------------------

    async def _main(self) -> None:
        if self._asked:
            self._stop(now=self._asked == "now")
        # Before start-up, which may want to hear what other workers say.
        bus = here().bus
        bus.open(asyncio.get_running_loop())
        try:
            async with self._service.lifespan():
                if self._stopping.is_set():
                    return
                self._is_serving = True
                try:
                    await self._serve()
                finally:
                    self._is_serving = False
                    self._bound_rest()
        finally:
            if self._end is not None:
                self._end.cancel()
            await _end_tasks()
            bus.close()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        native = _drives_natively(self._options, loop)
        if not native:
            refuse_without_driver(self._options.proxy_protocol)
        engine = self._engine = Engine(
            self._service,
            self._options,
            loop=loop,
            context=contextvars.copy_context(),
            sockets=native,
            dispatch=self._dispatch,
        )
        limits = {**_native.LIMITS, **self._options.limits}
        shell = (
            None
            if native
            else TransportShell(
                engine.server,
                write_timeout=limits["write_timeout"] / 1000,
                handshake_timeout=limits["head_timeout"] / 1000,
            )
        )
        try:
            async with operated(
                self._service, self._operations, self._options, loop, native=native
            ):
                if shell is None:
                    loop.add_reader(engine.server.fileno(), engine.server.poll)
                    for listener in self._listeners:
                        self._listen(engine, listener)
                else:
                    await shell.listen(
                        (listener.socket for listener in self._listeners),
                        tls=None if self._options.tls is None else self._options.tls.context(),
                    )
                await self._until_stopped(engine, shell, loop)
        finally:
            if shell is None:
                # Before the descriptor is closed: its number may be somebody else's a moment later.
                loop.remove_reader(engine.server.fileno())
            engine.close()
            if shell is not None:
                await shell.close()

    def _listen(self, engine: Engine, listener: Listener) -> None:
        tls = self._options.tls
        networks, unix = proxies_of(self._options.proxy_protocol)
        engine.server.listen(
            listener.socket.fileno(),
            tls=None if tls is None else tls.native,
            proxies=networks if self._options.proxy_protocol else None,
            unix_proxies=unix,
        )

    async def _until_stopped(
        self, engine: Engine, shell: TransportShell | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        if self._on_ready is not None:
            self._on_ready(loop)
        await self._stopping.wait()
        # Those who have connected already are served; from then on the system refuses connections, unless another
        # process listens on the same socket.
        loop.call_soon(engine.server.poll)
        await asyncio.sleep(0)
        if shell is not None:
            shell.unlisten()
        for listener in self._listeners:
            listener.close()
        if self._on_leaving is not None:
            # Soon, not now: `drain` begins by taking the sockets from the engine.
            loop.call_soon(self._on_leaving)
        cut = await engine.drain(max(0.0, (self._deadline or 0.0) - time.monotonic()), self._quiet)
        if cut:
            many = "request" if cut == 1 else "requests"
            logs.logger().warning("stopped with %d %s unfinished", cut, many)

    def _stop(self, *, now: bool, sooner: float | None = None) -> None:
        if self._deadline is None:
            self._deadline = time.monotonic() + self._grace
        elif self._engine is not None:
            self._engine.quieten(self._quiet)
        self._stopping.set()
        if sooner is not None and self._engine is not None:
            asyncio.get_running_loop().call_later(sooner, self._engine.hurry)
        if now and not self._hurried:
            self._hurried = True
            self._deadline = time.monotonic()
            if self._engine is not None:
                self._engine.hurry()
        self._bound_rest()

    def _bound_rest(self) -> None:
        """Start-up and clean-up are the user's, and may hang: from the stop on they have what is left of the grace."""
        loop = self._loop
        if self._is_serving or self._deadline is None or loop is None or self._is_cut_off:
            return
        seconds = max(CLEAN_UP, self._deadline - time.monotonic())
        if self._end is not None:
            seconds = min(seconds, self._end.when() - loop.time())
            self._end.cancel()
        self._end = loop.call_later(max(0.0, seconds), self._cut_off)

    def _cut_off(self) -> None:
        """Ends start-up or clean-up, which takes too long."""
        main, loop = self._main_task, self._loop
        if main is None or loop is None or main.done():
            return
        self._is_cut_off = True
        self._exit_code = self._exit_code or 1
        logs.logger().error(
            "what the app does when it %s has not ended in time, and is cut off: bound what it waits for, or give it a longer --grace",
            "starts" if self._engine is None else "stops",
        )
        main.cancel()
        if self._end is not None:
            self._end.cancel()
        self._end = loop.call_later(CANCEL_GRACE, self._leave)

    def _leave(self) -> None:
        """What was cut off goes on all the same: the loop is left as it is."""
        if self._main_task is not None and self._loop is not None and not self._main_task.done():
            self._is_left = True
            self._loop.stop()

    # -- ways to end -------------------------------------------------------------------------------------------------

    def _on_signal(self, number: int) -> None:
        self._signals += 1
        if self._signals > 3:
            # Whoever asks so often has waited long enough for what cannot be interrupted.
            os._exit(128 + number)
        # A signal that the loop never came to see means that it is blocked: the next one breaks into whatever blocks it.
        if self._signals > 2 or (self._signals == 2 and not self._stopping.is_set()):
            self._exit_code = 128 + number
            raise KeyboardInterrupt
        if self._signals == 2:
            self._exit_code = 128 + number
        self.stop(now=self._signals == 2)

    def _run_to_end(self, loop: asyncio.AbstractEventLoop, main: asyncio.Task[None]) -> None:
        """Runs the main task to its end, also when a handler raises what ends programs: that is answered by stopping."""
        interrupts = 0
        while True:
            try:
                loop.run_until_complete(main)
            except (KeyboardInterrupt, SystemExit) as error:
                interrupts += 1
                self._exit_code = self._exit_code or _status_of(error)
                if main.done():
                    return
                self._stop(now=interrupts > 1)
                if self._signals > 2 and self._stopping.is_set() and not self._is_serving:
                    self._cut_off()
                elif interrupts > 2:
                    main.cancel()
                continue
            except RuntimeError:
                if not self._is_left:
                    raise
                logs.logger().error("what was cut off does not end: leaving it")
                return
            except asyncio.CancelledError:
                return
            return


def _status_of(error: KeyboardInterrupt | SystemExit) -> int:
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error.code, int):
        return error.code
    return 0 if error.code is None else 1


def _drives_natively(options: Options, loop: asyncio.AbstractEventLoop) -> bool:
    if options.driver != "auto":
        return options.driver == "native"
    return (
        sys.platform != "win32"
        and type(loop).add_reader is not asyncio.AbstractEventLoop.add_reader
    )


async def _end_tasks() -> None:
    """Cancels what is left on the loop, as asyncio.run does, but waits for it only a while."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=CANCEL_GRACE)
    await asyncio.get_running_loop().shutdown_asyncgens()
