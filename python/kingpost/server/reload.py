"""The supervisor of `kingpost dev`: keeps the listening sockets, and replaces the worker when the code changes.

Rule 1: it never runs the application's code, so no mistake in it can end the supervisor.
Rule 2: the sockets are open from the first moment to the last: no connection is refused, it waits at worst.
Rule 3: a new worker says that it is ready before the old one is told to stop; one that cannot start replaces nothing.
Rule 4: the worker stays in the terminal's foreground with the terminal as its standard input, so that a debugger's
prompt works.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kingpost.server import child
from kingpost.server.child import Failure, Line
from kingpost.server.listen import Listener
from kingpost.server.signals import handled
from kingpost.server.watch import Watcher, forget_bytecode

# Seconds between two looks at the files; more where a look is slow, so that watching costs a few percent at most.
_LOOK_EVERY = 0.2
_LOOK_SHARE = 20
# Seconds without another change after which a change counts as whole: many editors empty a file before they write it, and a
# checkout writes many; and how long one that does not end is waited for.
_SETTLE = 0.05
_SETTLE_MOST = 1.0
# Seconds that a replaced worker has for its last requests.
_OLD_GRACE = 10.0
# Seconds that a replaced worker may take to let go of the sockets before the reload counts as done all the same: it takes
# milliseconds, except on a machine that stands still, and then what is said too early is not true.
_LEAVE_GRACE = 5.0
# Seconds between telling workers to stop at once and ending them.
_LAST_GRACE = 3.0
# Seconds to wait for bytes that should be there.
_SOCKET_GRACE = 0.5
# A worker that ends by itself is started again, unless it ended this soon after its start: seconds.
_TOO_SOON = 1.0
# Seconds that new code may take to start before pages of the old code say that it has not.
_SLOW = 10.0


class _Worker:
    """One worker process, as the supervisor sees it."""

    def __init__(self, command: Sequence[str], listeners: Sequence[Listener]) -> None:
        ours, theirs = socket.socketpair()
        numbers = [theirs.fileno(), *(listener.socket.fileno() for listener in listeners)]
        environment = {**os.environ, child.ENVIRONMENT: ",".join(map(str, numbers))}
        if os.name == "posix":
            self.process = subprocess.Popen(  # noqa: S603 - our own command line
                command, env=environment, pass_fds=numbers
            )
        else:
            for sock in (theirs, *(listener.socket for listener in listeners)):
                sock.set_inheritable(True)
            self.process = subprocess.Popen(  # noqa: S603 - our own command line
                command, env=environment, close_fds=False
            )
        theirs.close()
        # Never wait long for a worker: one that forked leaves the other end open in its children.
        ours.settimeout(_SOCKET_GRACE)
        self.line = Line(ours)
        self.started = time.monotonic()
        self.told_at: float | None = None
        """When it was told to stop."""
        self.is_ready = False
        self.failure: Failure | None = None
        self.debugging = False
        self.is_late = False
        """Whether somebody was told that it takes long to start."""

    def tell(self, order: str, failure: Failure | None = None) -> None:
        if failure is None:
            self.line.send(order)
        else:
            self.line.send(order, summary=failure.summary, report=failure.report)

    def retire(self) -> None:
        if self.told_at is None:
            self.told_at = time.monotonic()
            self.tell(child.STOP)


class Supervisor:
    """Runs `command` as the worker and runs it anew whenever a file below `roots` changes.

    Args:
        command: The program of a worker; it finds its sockets by `ReloadedChild.from_environment`.
        listeners: Open listening sockets; they stay the caller's.
        roots: Folders whose files are watched.
        say: Takes each line for the console.
    """

    def __init__(
        self,
        command: Sequence[str],
        listeners: Sequence[Listener],
        roots: Sequence[Path],
        say: Callable[[str], None],
    ) -> None:
        self._command = command
        self._listeners = listeners
        self._say = say
        self._watcher = Watcher(roots)
        self._selector = selectors.DefaultSelector()
        self._serving: _Worker | None = None
        self._coming: _Worker | None = None
        self._leaving: list[_Worker] = []
        self._replaced: tuple[_Worker, float, str] | None = None
        """The worker that was told to stop, when, and what is said once it accepts no more connections."""
        self._signals = 0
        self._status = 0
        self._look_at = 0.0
        self._expected: set[Path] = set()
        """Files that a starting worker writes itself."""
        self._changed_at = time.monotonic()

    def run(self) -> int:
        """Runs until SIGINT or SIGTERM; returns the exit status for the process."""
        with handled(self._on_signal):
            try:
                self._start()
                while not self._is_over():
                    self._wait()
                    self._look()
                    self._reap()
            finally:
                self._end_all()
                self._selector.close()
        return self._status

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        self._hear(0.05 if self._signals or self._leaving else _LOOK_EVERY)

    def _hear(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            worker: _Worker = key.data
            messages = worker.line.receive()
            if messages is None:
                self._selector.unregister(worker.line.socket)
                worker.line.close()
                continue
            for message in messages:
                self._heard(worker, message)

    def _look(self) -> None:
        now = time.monotonic()
        if self._signals or now < self._look_at:
            return
        looked = self._watcher.changed()
        took = time.monotonic() - now
        changed = self._by_others(self._settled(looked))
        self._look_at = time.monotonic() + max(_LOOK_EVERY, took * _LOOK_SHARE)
        if changed:
            forget_bytecode(changed)
            self._changed_at = now
            self._say_reloaded()
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            self._say(f"{_short(changed[0])}{more} changed: reloading")
            self._start()

    def _by_others(self, changed: list[Path]) -> list[Path]:
        """Those that somebody else than a starting worker has changed."""
        if changed:
            # A worker speaks before it writes: what it said may still wait to be read.
            self._hear(0)
            changed = [file for file in changed if file.resolve() not in self._expected]
        if self._coming is None:
            self._expected.clear()
        return changed

    def _settled(self, changed: list[Path]) -> list[Path]:
        """These files, and those that change until nothing does for a moment."""
        files = set(changed)
        until = time.monotonic() + _SETTLE_MOST
        while changed and time.monotonic() < until:
            quiet = time.monotonic() + _SETTLE
            # A worker that speaks makes the moment no shorter.
            while (left := quiet - time.monotonic()) > 0:
                self._hear(left)
            changed = self._watcher.changed()
            files.update(changed)
        return sorted(files)

    def _start(self) -> None:
        """Starts a new worker; one that was still starting is of no use any more."""
        if self._coming is not None:
            self._coming.process.kill()
            self._leave(self._coming)
        worker = self._coming = _Worker(self._command, self._listeners)
        self._selector.register(worker.line.socket, selectors.EVENT_READ, worker)
        if self._signals:
            # It came since the files were looked at, and told those workers that there were.
            worker.retire()

    # -- what workers say --------------------------------------------------------------------------------------------

    def _heard(self, worker: _Worker, message: dict[str, str]) -> None:
        match message.get("say"):
            case child.READY:
                self._is_ready(worker)
            case child.BROKEN:
                self._is_broken(
                    worker, Failure(message.get("summary", ""), message.get("report", ""))
                )
            case child.DEBUGGING:
                worker.debugging = True
            case child.LEFT:
                if self._replaced is not None and self._replaced[0] is worker:
                    self._say_reloaded()
            case child.WRITING:
                self._expected.add(Path(message.get("file", "")).resolve())
            case _:
                pass

    def _is_ready(self, worker: _Worker) -> None:
        worker.is_ready = True
        if worker is not self._coming:
            return
        old, self._serving, self._coming = self._serving, worker, None
        if old is not None:
            self._leave(old)
            self._say_reloaded()
            if worker.failure is None:
                now = time.monotonic()
                self._replaced = (old, now, f"reloaded in {now - self._changed_at:.2f} s")

    def _say_reloaded(self) -> None:
        """Both workers accept until the old one has let go: only then does nobody get an answer of the old code."""
        if self._replaced is not None:
            *_, line = self._replaced
            self._replaced = None
            self._say(line)

    def _is_broken(self, worker: _Worker, failure: Failure) -> None:
        worker.failure = failure
        if worker is not self._coming:
            return
        if self._serving is not None and self._serving.failure is None:
            self._say(
                f"{failure.report.rstrip()}\nThe code before this change keeps serving; save a mended file to reload."
            )
            self._serving.tell(child.NOTICE, failure)
            self._coming = None
            self._leave(worker)
        else:
            # Nothing good serves yet: the page that says what is wrong is better than none.
            self._say(
                f"{failure.report.rstrip()}\nWaiting for a mended file; the browser shows this error too."
            )
            worker.tell(child.SHOW)

    # -- ends --------------------------------------------------------------------------------------------------------

    def _leave(self, worker: _Worker) -> None:
        worker.retire()
        self._leaving.append(worker)

    def _reap(self) -> None:
        now = time.monotonic()
        if self._replaced is not None:
            old, since, _ = self._replaced
            if old.process.poll() is not None or now > since + _LEAVE_GRACE:
                self._say_reloaded()
        for worker in [*self._leaving]:
            if worker.process.poll() is not None:
                self._forget(worker)
                self._leaving.remove(worker)
            elif (
                not worker.debugging
                and worker.told_at is not None
                and now > worker.told_at + _OLD_GRACE
            ):
                worker.process.kill()
        late = self._coming
        if late is not None and not late.is_late and now > late.started + _SLOW:
            late.is_late = True
            self._keep_old(
                Failure(
                    f"It is still starting, after {_SLOW:g} seconds",
                    "An import, or what runs at start-up, takes long or waits for something.",
                )
            )
        for current in (self._serving, self._coming):
            if current is not None and current.process.poll() is not None:
                self._drain(current)
                self._ended(current)

    def _drain(self, worker: _Worker) -> None:
        """Hears the last words of a worker that has ended."""
        while messages := worker.line.receive():
            for message in messages:
                self._heard(worker, message)

    def _ended(self, worker: _Worker) -> None:
        """A worker ended that nobody told to."""
        self._forget(worker)
        if worker in self._leaving:
            self._leaving.remove(worker)
        was_serving = worker is self._serving
        if was_serving:
            self._serving = None
        if worker is self._coming:
            self._coming = None
        if self._signals:
            return
        code = worker.process.returncode
        if worker.is_ready and was_serving and time.monotonic() - worker.started > _TOO_SOON:
            self._say(f"the worker ended with status {code}: starting it again")
            if self._coming is None:
                self._start()
        else:
            self._say(
                f"the worker ended with status {code} before it could serve: waiting for a change in the files"
            )
            if worker.failure is None:
                self._keep_old(
                    Failure(
                        f"The program ended with status {code} while it started",
                        "The console has what it said.",
                    )
                )

    def _keep_old(self, failure: Failure) -> None:
        """Has pages of the code that serves say that what came after it does not run."""
        if self._serving is not None and self._serving.failure is None:
            self._serving.tell(child.NOTICE, failure)

    def _forget(self, worker: _Worker) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(worker.line.socket)
        worker.line.close()

    def _workers(self) -> list[_Worker]:
        return [
            worker for worker in (self._serving, self._coming, *self._leaving) if worker is not None
        ]

    def _is_over(self) -> bool:
        return bool(self._signals) and all(
            worker.process.poll() is not None for worker in self._workers()
        )

    def _on_signal(self, number: int) -> None:
        self._signals += 1
        if self._signals == 1:
            # Workers in the terminal's foreground have had the signal too; an order on top of it changes nothing.
            for worker in self._workers():
                worker.retire()
                if worker.debugging:
                    self._say("a debugger may be open: finish it, or press Ctrl-C again")
        else:
            self._status = 128 + number
            for worker in self._workers():
                worker.tell(child.STOP_NOW)
        if self._signals > 2:
            raise KeyboardInterrupt

    def _end_all(self) -> None:
        deadline = time.monotonic() + _LAST_GRACE
        for worker in self._workers():
            if worker.process.poll() is None:
                worker.tell(child.STOP_NOW)
        for worker in self._workers():
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                worker.process.kill()
                worker.process.wait()
            self._forget(worker)


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def interpreter() -> list[str]:
    """The command of this interpreter with the options that change how programs behave."""
    options = ["-P"]  # the working folder must not hide modules that Kingpost itself imports
    if sys.flags.dev_mode:
        options += ["-X", "dev"]
    if sys.flags.optimize:
        options.append("-" + "O" * sys.flags.optimize)
    options += [
        f"-W{option}" for option in sys.warnoptions if not sys.flags.dev_mode or option != "default"
    ]
    return [sys.executable, *options]
