"""A worker of `kingpost run --workers`: what a copy of the template process does until its end."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import random
import signal
import socket
import sys
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kingpost.server import child, logs
from kingpost.server.child import Failure, Line, ReloadedChild
from kingpost.server.engine import Service
from kingpost.server.listen import Listener, inherit
from kingpost.server.options import Options
from kingpost.server.processes import Processes
from kingpost.server.readings import memory
from kingpost.server.serve import leave
from kingpost.server.shared import Shared, Workshop
from kingpost.server.worker import Worker

ORPHAN_GRACE = 5.0
"""Seconds that workers have for what is in flight when their supervisor is gone."""
QUIET = 5.0
"""Seconds that a worker whose place another has taken keeps connections on which nobody asks: whoever asks meanwhile is answered, and
told to come anew."""
BEAT = 1.0
"""Seconds between two signs of life."""
# A worker that asked to be replaced asks again after so many seconds, if it still serves.
_ASK_AGAIN = 10.0
# Each worker bears up to this share less, so that not all are worn at once.
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Recipe:
    """What every template and every worker of a service is made from."""

    load: Callable[[], Service]
    """Imports the application."""
    failure_of: Callable[[BaseException], Failure]
    """Says why that, or its start-up, failed."""
    options: Options
    processes: Processes
    workshop: Workshop
    operations: Sequence[Listener] = ()
    """The sockets for those who run the service; every process that is forked has them."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the supervisor says of a new worker."""

    key: str
    slot: int
    lane: int
    line: int
    """Descriptor of its end of the line."""
    listening: tuple[int, ...]


def work(service: Service, order: Order, recipe: Recipe) -> int:
    """Serves until told to stop; returns the exit status for the process."""
    # Others stay as the template has them: what a terminal sends to all processes is the supervisor's to act upon.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    _leave_to_the_template()
    shared = recipe.workshop.enter(order.slot, order.lane)
    recipe.workshop.leave_to_others(order.slot, order.lane)
    supervisor = ReloadedChild(
        Line(socket.socket(fileno=order.line)), order.listening, at_end="gone"
    )
    gc.enable()
    show_stacks()
    logs.set_up()
    listeners = [inherit(number) for number in supervisor.listening]
    options = recipe.options

    def obey(told: child.Order, _: Failure) -> None:
        if told in ("stop", "now"):
            worker.stop(now=told == "now")
        elif told == "retire":
            worker.stop(quiet=QUIET)
        elif told == "gone":
            worker.stop(grace=ORPHAN_GRACE)

    def ready(loop: asyncio.AbstractEventLoop) -> None:
        Pulse(loop, shared, worker, supervisor, recipe.processes).beat()
        supervisor.ready()

    worker = Worker(
        service,
        listeners,
        options,
        on_ready=ready,
        on_leaving=supervisor.left,
        operations=recipe.operations,
    )
    supervisor.obey(obey)
    try:
        status = worker.run()
    except Exception as error:  # noqa: BLE001 - start-up and clean-up are the user's
        failure = recipe.failure_of(error)
        supervisor.broken(failure)
        status = 1
    with contextlib.suppress(SystemExit):
        leave(status, worker)
    return status


def _leave_to_the_template() -> None:
    """What the import has made and is to be removed in the end, such as a temporary folder, is the template's: this copy keeps its hands off."""
    for finalizer in [*_finalizers()]:
        finalizer.atexit = False


def _finalizers() -> Iterable[Any]:
    # There is no public way to them.
    return getattr(weakref.finalize, "_registry", ())


def show_stacks() -> None:
    """From now on what ends this process by force, but SIGKILL, says where it was."""
    if not faulthandler.is_enabled() and sys.stderr is not None:
        faulthandler.enable()


class Pulse:
    """Shows once a second that the loop turns, and looks whether this worker is worn."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        shared: Shared,
        worker: Worker,
        supervisor: ReloadedChild,
        processes: Processes,
    ) -> None:
        self._loop = loop
        self._shared = shared
        self._worker = worker
        self._supervisor = supervisor
        self._processes = processes
        self._begun = time.monotonic()
        self._is_tight = processes.max_memory and memory() > processes.max_memory
        """It has more memory from the start than is allowed: so would whatever takes its place."""
        if self._is_tight and shared.slot == 0:
            logs.logger().error(
                "workers have %d MiB of memory as they start, and --max-memory allows %d: none is replaced for its memory; allow more",
                memory() >> 20,
                processes.max_memory >> 20,
            )
        # Not before it serves: who is still coming is not replaced.
        self._ask_at = self._begun + BEAT
        # No secret: it only keeps workers apart.
        self._share = 1 - random.random() * _JITTER  # noqa: S311

    def beat(self) -> None:
        """One beat; the loop is asked for the next."""
        self._shared.beat()
        now = time.monotonic()
        if now >= self._ask_at and (reason := self.worn(now)):
            self._ask_at = now + _ASK_AGAIN
            self._supervisor.worn(reason)
        self._loop.call_later(BEAT, self.beat)

    def worn(self, now: float) -> str:
        """Why this worker should be replaced; empty where it should not."""
        processes = self._processes
        if processes.max_requests and self._worker.requests >= processes.max_requests * self._share:
            return f"after {self._worker.requests} requests"
        if processes.max_age and now - self._begun >= processes.max_age * self._share:
            return f"after {now - self._begun:.0f} seconds"
        if processes.max_memory and not self._is_tight and memory() > processes.max_memory:
            return f"with {memory() >> 20} MiB of memory"
        return ""
