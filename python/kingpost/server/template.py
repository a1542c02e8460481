"""The template process: it has imported the application, and workers are copies of it, made in a millisecond.

Rule 1: it starts no thread and no loop, serves nothing and holds no socket but those of --ops-port, so that a copy of it is whole.
Rule 2: the garbage collector leaves alone what was there before the first copy (gc.freeze), so that copies share it.
Rule 3: it ends when its supervisor is gone, after its workers, which it ends if they do not.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import FrameType

from kingpost import _native
from kingpost.http.counting import begin_generation
from kingpost.server import child, logs
from kingpost.server.child import Line
from kingpost.server.engine import Service
from kingpost.server.forked import ORPHAN_GRACE, Order, Recipe, show_stacks, work
from kingpost.server.options import Options
from kingpost.server.serve import flush, flush_streams

# Seconds beyond their grace after which orphaned workers are ended.
_LATE = 2.0
# Descriptors that are sent in one message, and that the system takes in one.
_AT_ONCE = 128
_MOST_AT_ONCE = 253
# What a terminal or systemd sends to all processes of the service is the supervisor's to act upon.
_NOT_OURS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGTTIN", "SIGTTOU", "SIGUSR1", "SIGUSR2")


def ignore(_number: int, _frame: FrameType | None) -> None:
    """A handler, not SIG_IGN: programs that a worker starts get the system's default back."""


class Template:
    """One template process, from the inside."""

    def __init__(self, recipe: Recipe, sock: socket.socket) -> None:
        self._recipe = recipe
        self._line = Line(sock)
        self._rest = b""
        self._descriptors: list[int] = []
        """What has arrived for the next worker."""
        self._is_short = False
        """Some of it was lost."""
        self._workers: dict[int, str] = {}
        """Keys that the supervisor knows them by, by process."""
        self._is_unwanted = False
        """No worker is asked for any more."""
        self._threads = Counter[str]()
        """Those that the import has started; none once a worker was there to look whether it has them."""
        self._orphaned_at: float | None = None

    def run(self) -> int:
        """Runs until it is told to end, or the supervisor is gone; in a worker, which is a copy, until that ends."""
        for name in _NOT_OURS:
            signal.signal(getattr(signal, name), ignore)
        # An import that never ends must not outlive the supervisor.
        _native.end_with_parent(signal.SIGKILL)
        show_stacks()
        gc.disable()
        begin_generation(os.urandom(8).hex())
        try:
            service = self._recipe.load()
        except BaseException as error:  # noqa: BLE001 - SystemExit too: exit() is a mistake to be told
            self._line.broken(self._recipe.failure_of(error))
            return 1
        _native.end_with_parent(0)
        _prepare(self._recipe.options)
        self._threads = threads()
        gc.collect()
        gc.freeze()
        self._line.send(child.READY)
        return self._serve(service)

    def _serve(self, service: Service) -> int:
        heard, told = socket.socketpair()
        for end in (heard, told):
            end.settimeout(0)
        signal.signal(signal.SIGCHLD, ignore)
        signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
        selector = selectors.DefaultSelector()
        selector.register(heard, selectors.EVENT_READ)
        selector.register(self._line.socket, selectors.EVENT_READ)
        while not self._is_unwanted or self._workers:
            for key, _ in selector.select(0.2 if self._is_unwanted else None):
                if key.fileobj is heard:
                    with contextlib.suppress(OSError):
                        heard.recv(4096)
                    continue
                orders = self._hear()
                if orders is None:
                    selector.unregister(self._line.socket)
                    self._is_unwanted = True
                for number, order in enumerate(orders or (), 1):
                    if not self._fork(order):
                        # The copy: nothing of the template is of use to it, nor what is meant for those behind it.
                        self._close_rest((orders or [])[number:])
                        selector.close()
                        signal.set_wakeup_fd(-1)
                        for end in (heard, told, self._line.socket):
                            end.close()
                        warn_of_lost(self._threads)
                        return work(service, order, self._recipe)
            self._reap()
            self._end_late_ones()
        return 0

    # -- the supervisor ----------------------------------------------------------------------------------------------

    def _hear(self) -> list[Order] | None:
        """Orders for workers that have arrived; None when the supervisor wants no more, or is gone."""
        try:
            data, descriptors, flags, _ = socket.recv_fds(self._line.socket, 65536, _MOST_AT_ONCE)
        except OSError:
            return None
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no name
        self._descriptors += descriptors
        # The system has closed what this process may not have.
        self._is_short = self._is_short or bool(flags & socket.MSG_CTRUNC)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        orders: list[Order] = []
        for line in lines:
            message = json.loads(line)
            count = int(message["descriptors"])
            if message["say"] == child.HAND:
                if message["first"]:
                    # What came before was for an order that was not finished.
                    self._close_descriptors(max(0, len(self._descriptors) - count))
                continue
            if self._is_short or len(self._descriptors) < count:
                self._refuse(message["key"], count)
                continue
            taken, self._descriptors = self._descriptors[:count], self._descriptors[count:]
            orders.append(
                Order(
                    key=message["key"],
                    slot=int(message["slot"]),
                    lane=int(message["lane"]),
                    line=taken[0],
                    listening=tuple(taken[1:]),
                )
            )
        return orders

    def _close_rest(self, orders: Sequence[Order]) -> None:
        """Closes what has arrived for other workers: a line that this one held would never end."""
        for order in orders:
            self._descriptors += (order.line, *order.listening)
        self._close_descriptors(len(self._descriptors))

    def _close_descriptors(self, count: int) -> None:
        for _ in range(count):
            os.close(self._descriptors.pop(0))

    def _refuse(self, key: str, count: int) -> None:
        """Says that a worker cannot be made: connections to sockets that it had not would never be answered."""
        self._is_short = False
        self._close_descriptors(len(self._descriptors))
        logs.logger().error(
            "no worker can be started: its %d descriptors are more than a process may have here; allow more, by ulimit -n in a shell"
            " or LimitNOFILE= in systemd",
            count,
        )
        self._line.send(child.ENDED, key=key, status="")

    # -- workers -----------------------------------------------------------------------------------------------------

    def _fork(self, order: Order) -> int:
        """The new worker's process; 0 in the worker."""
        flush_streams()
        try:
            pid = os.fork()
        except OSError as error:
            logs.logger().error("no worker can be started: %s", error)
            self._line.send(child.ENDED, key=order.key, status="")
        else:
            if pid == 0:
                return 0
            self._workers[pid] = order.key
            self._threads.clear()
            self._line.send(child.FORKED, key=order.key, pid=str(pid))
        for descriptor in (order.line, *order.listening):
            os.close(descriptor)
        return 1

    def _reap(self) -> None:
        # One by one: what the import of the app has started is not ours to wait for.
        for pid, key in [*self._workers.items()]:
            code = ended(pid)
            if code is not None:
                del self._workers[pid]
                self._line.send(child.ENDED, key=key, status=code)

    def _end_late_ones(self) -> None:
        """Workers end by themselves when the supervisor is gone; those that cannot are ended."""
        if os.getppid() == _SUPERVISOR[0]:
            return
        now = time.monotonic()
        self._orphaned_at = self._orphaned_at or now
        if now > self._orphaned_at + ORPHAN_GRACE + _LATE:
            for pid in self._workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


# The process that forked this template. One that lives and wants no more of it leaves it to wait for its workers.
_SUPERVISOR = [0]


def ended(pid: int) -> str | None:
    """How a process that this one has forked, or adopted, ended: as text its exit status, or minus the number of a signal; None while it lives."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return ""
    return str(os.waitstatus_to_exitcode(status)) if found else None


def any_ended() -> tuple[int, str] | None:
    """A process that this one has forked, or adopted, and that has ended, with how it did; None where there is none."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, str(os.waitstatus_to_exitcode(status))) if pid else None


def order(line: Line, descriptors: Sequence[int], **message: str) -> None:
    """Asks a template for a worker that is given these descriptors, its end of the line first.

    Raises:
        OSError: the template is gone, or there is no room now; it has not been asked then.
    """
    for start in range(0, len(descriptors), _AT_ONCE):
        part = descriptors[start : start + _AT_ONCE]
        said = {"say": child.HAND, "first": "" if start else "yes", "descriptors": str(len(part))}
        if start + _AT_ONCE >= len(descriptors):
            said = {"say": child.FORK, "descriptors": str(len(descriptors)), **message}
        socket.send_fds(line.socket, [json.dumps(said).encode() + b"\n"], part)


def start(recipe: Recipe, close: Sequence[int]) -> tuple[int, Line]:
    """Forks a template process; returns its number and the supervisor's end of the line.

    Args:
        recipe: What it is made from.
        close: Descriptors of the supervisor's that are none of its business.
    """
    ours, theirs = socket.socketpair()
    supervisor = os.getpid()
    flush_streams()
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, Line(ours)
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        _SUPERVISOR[0] = supervisor
        ours.close()
        for descriptor in close:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        status = Template(recipe, theirs).run()
    except BaseException:  # noqa: BLE001 - told below; nothing of the supervisor's stack may run in this process
        import traceback

        traceback.print_exc()
    finally:
        _end(status)
    raise AssertionError("os._exit does not return")


def _end(status: int) -> None:
    """Ends a forked process: what the program registered for its end is done, the supervisor's code never runs on."""
    import atexit

    try:
        # What os._exit leaves out; multiprocessing does the same.
        atexit._run_exitfuncs()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as said above
        flush()
    finally:
        os._exit(status)


def _prepare(options: Options) -> None:
    """Imports what each worker would import for itself."""
    if options.loop != "asyncio":
        with contextlib.suppress(ImportError):
            importlib.import_module("uvloop")


def threads() -> Counter[str]:
    """The names of the threads beside the first one."""
    return Counter(
        each.name for each in threading.enumerate() if each is not threading.main_thread()
    )


def warn_of_lost(before: Counter[str]) -> None:
    """Warns, in a copy, of threads that it does not have. Those of some libraries start anew in each: OpenTelemetry's do."""
    lost = before - threads()
    if lost:
        logs.logger().warning(
            "the import of the app started threads (%s), which workers do not have: start them in @app.lifespan",
            ", ".join(lost.elements()),
        )
