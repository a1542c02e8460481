"""The supervisor of `kingpost run --workers`: keeps the listening sockets, and a worker in each slot.

Rule 1: it never runs the application's code and never reads a byte of a client, so no mistake in either can end it.
Rule 2: the sockets of a slot are open from the first moment to the last: no connection is refused, it waits at worst.
Rule 3: a new worker says that it is ready before the old one is told to stop. New code replaces all workers or none.
Rule 4: a worker that ends is replaced at once, but one that keeps ending is given time; where nothing serves any more, the
supervisor ends as well, and says so.
Rule 5: signal handlers only note what was asked for; everything is done in `_step`.

Who is who: a *slot* is a place for a worker, with its sockets. A *generation* is a template process, which has imported one
version of the code, with the workers that are copies of it. On each slot one worker serves, one may be coming, and some may be
leaving.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kingpost import _native
from kingpost.server import child, logs, template
from kingpost.server.child import Failure, Line
from kingpost.server.forked import BEAT, Recipe
from kingpost.server.listen import Address, Doors, Listener, ListenError, open_listeners, told
from kingpost.server.shared import LANES
from kingpost.server.signals import handled
from kingpost.server.systemd import Notifier

# Seconds between two looks, while something is under way and while nothing is.
_LOOK = 0.05
_IDLE_LOOK = 1.0
# A slot whose worker ends so often in so many seconds waits before it gets another: seconds, doubled up to the most.
_FREE_DEATHS = 5
_DEATHS_SPAN = 60.0
_FIRST_DELAY = 1.0
_MOST_DELAY = 30.0
# Nothing serves, and so many workers in a row ended before they could: then there is no use in going on.
_MOST_STILLBORN = 5
# Nothing serves, and so many ended soon after they could, besides five for each slot.
_MOST_DEATHS = 10
# Seconds beyond its grace after which a worker that was told to stop is ended.
_KILL_AFTER = 5.0
# Seconds that a worker has to write down its stack.
_DUMP_GRACE = 2.0
# Seconds that replaced workers may take to let go of the sockets before the reload counts as done all the same.
_LEAVE_GRACE = 5.0
# Seconds after which somebody is told that new code is still starting, and between two tries where a template is gone.
_SLOW = 10.0
_RETRY = 10.0
# Seconds that templates have to end behind their workers.
_LAST_GRACE = 3.0


def _signals(*names: str) -> tuple[signal.Signals, ...]:
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


_OTHERS = _signals("SIGHUP", "SIGTTIN", "SIGTTOU", "SIGCHLD")


@dataclass(eq=False)
class _Generation:
    """A template process."""

    number: int
    pid: int
    line: Line
    begun: float
    is_ready: bool = False
    is_gone: bool = False
    failure: Failure | None = None
    was_called_slow: bool = False


@dataclass(eq=False)
class _Worker:
    """One worker process, as the supervisor sees it."""

    key: str
    slot: _Slot
    lane: int
    generation: _Generation
    line: Line
    listeners: list[Listener]
    begun: float
    pid: int = 0
    ready_at: float | None = None
    told_at: float | None = None
    """When it was told to stop."""
    has_left: bool = False
    """It accepts no connections any more."""
    hears: bool = True
    failure: Failure | None = None
    beat: int = 0
    silent: float = 0.0
    """Seconds that its loop did not turn, while we looked."""
    dumped_at: float | None = None

    @property
    def name(self) -> str:
        return f"worker {self.slot.number + 1} ({self.pid or 'not yet started'})"


@dataclass(eq=False)
class _Slot:
    """A place for a worker."""

    number: int
    serving: _Worker | None = None
    coming: _Worker | None = None
    leaving: list[_Worker] = field(default_factory=list[_Worker])
    wanted: _Generation | None = None
    """What a worker is to be made from as soon as it can be."""
    not_before: float = 0.0
    delay: float = 0.0
    deaths: deque[float] = field(default_factory=deque[float])
    adopted: list[int] = field(default_factory=list[int])
    """Slots that are out of service, whose sockets this one serves as well."""

    @property
    def workers(self) -> list[_Worker]:
        return [each for each in (self.serving, self.coming, *self.leaving) if each is not None]

    def free_lane(self) -> int | None:
        taken = {worker.lane for worker in self.workers}
        return next((lane for lane in range(LANES) if lane not in taken), None)


class Supervisor:
    """Runs the workers of a service until it is told to stop.

    Args:
        recipe: What they are made from.
        doors: Their listening sockets; they stay the caller's.
        control: A listening Unix socket for `kingpost reload`; the caller's.
        notifier: Tells systemd.
    """

    def __init__(
        self,
        recipe: Recipe,
        doors: Doors,
        control: Listener | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self._recipe = recipe
        self._doors = doors
        self._control = control
        self._notifier = notifier or Notifier({})
        self._workshop = recipe.workshop
        self._count = recipe.processes.workers
        self._slots: list[_Slot] = []
        self._current: _Generation | None = None
        self._next: _Generation | None = None
        self._generations: list[_Generation] = []
        self._numbers = 0
        self._keys: dict[str, _Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._askers: list[Line] = []
        """Who waits for the end of a reload."""
        self._replaced: tuple[list[_Worker], float, str] | None = None
        """Workers that let go of the sockets, until when they are waited for, and what is said then."""
        self._reload_again = False
        self._asked: list[int] = []
        self._stops = 0
        self._stops_done = 0
        self._stopping = False
        self._status = 0
        self._stillborn = 0
        self._deaths = 0
        self._looked_at = time.monotonic()
        self._retry_at = 0.0
        self._told_alive = 0.0
        self._has_terminal = _has_terminal()
        self._adopts = _native.adopt_orphans()
        self._log = logs.logger()

    def run(self) -> int:
        """Runs until told to stop; returns the exit status for the process."""
        heard, told = socket.socketpair()
        for end in (heard, told):
            end.settimeout(0)
        self._selector.register(heard, selectors.EVENT_READ, lambda: _empty(heard))
        if self._control is not None:
            self._selector.register(self._control.socket, selectors.EVENT_READ, self._accept)
        with handled(self._on_stop), handled(self._asked.append, _OTHERS):
            before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
            try:
                self._scale(0)
                self._reload()
                while not self._is_over():
                    self._wait()
                    self._step()
            finally:
                signal.set_wakeup_fd(before)
                self._end_all()
                self._selector.close()
                heard.close()
                told.close()
        return self._status

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        busy = self._stopping or self._next is not None or self._replaced is not None
        busy = busy or any(slot.coming or slot.leaving or slot.wanted for slot in self._slots)
        for key, _ in self._selector.select(_LOOK if busy else _IDLE_LOOK):
            hear: Callable[[], None] = key.data
            hear()

    def _step(self) -> None:
        """Does what is due."""
        now = time.monotonic()
        self._obey(now)
        self._reap()
        self._end_late_ones(now)
        self._look_at_loops(now)
        self._finish_reload(now)
        self._start_wanted(now)
        self._give_up()
        every = self._notifier.every
        if every is not None and now >= self._told_alive + every and self._serves():
            self._told_alive = now
            self._notifier.alive()

    def _serves(self) -> bool:
        return any(slot.serving is not None for slot in self._slots)

    # -- what is asked for -------------------------------------------------------------------------------------------

    def _on_stop(self, _: int) -> None:
        self._stops += 1
        if self._stops > 3:
            raise KeyboardInterrupt

    def _obey(self, now: float) -> None:
        while self._stops_done < self._stops:
            self._stops_done += 1
            self._stop(now, hurried=self._stops_done > 1)
        while self._asked:
            number = self._asked.pop(0)
            if number in _signals("SIGHUP"):
                if self._has_terminal and not _has_terminal():
                    # The terminal was closed: nobody is there who could stop this any more.
                    self._stop(now, hurried=False)
                else:
                    self._reload()
            elif number in _signals("SIGTTIN"):
                self._scale(1)
            elif number in _signals("SIGTTOU"):
                self._scale(-1)

    def _stop(self, now: float, *, hurried: bool) -> None:
        if not self._stopping:
            self._stopping = True
            self._notifier.stopping()
            # What has come already is accepted by the workers, who close theirs then: from now on the system refuses connections.
            self._doors.close()
            for slot in self._slots:
                slot.wanted = None
            if self._next is not None and not self._next.is_ready:
                _kill(self._next.pid, signal.SIGKILL)
            self._answer("failed", summary="the service was told to stop")
        for worker in self._workers():
            if hurried:
                worker.line.send(child.STOP_NOW)
                worker.told_at = min(worker.told_at or now, now - self._recipe.options.grace)
            else:
                self._retire(worker)
        if self._stops_done > 2:
            self._status = 130
            for worker in self._workers():
                _kill(worker.pid, signal.SIGKILL)

    def _scale(self, change: int) -> None:
        """Sets how many slots are in service."""
        if self._stopping:
            return
        before, most = self._count, self._recipe.processes.slots
        self._count = min(most, max(1, self._count + change))
        self._workshop.set_workers(self._count)
        while len(self._slots) < self._count:
            try:
                self._doors.of(len(self._slots))
            except ListenError as error:
                self._count = len(self._slots)
                self._workshop.set_workers(self._count)
                self._log.error("there is no socket for another worker: %s", error)
                break
            self._slots.append(_Slot(len(self._slots)))
        first = self._slots[0]
        for slot in self._slots[before : self._count]:
            if slot.number in first.adopted:
                first.adopted.remove(slot.number)
            slot.wanted = self._next if self._next and self._next.is_ready else self._current
        for slot in self._slots[self._count : before]:
            slot.wanted = None
            if self._doors.is_split:
                # What has come to its sockets already, and what is still dealt out to them, is served by another worker; only
                # when that is there the one of this slot leaves.
                first.adopted.append(slot.number)
                first.wanted = first.wanted or self._current
            else:
                for worker in slot.workers:
                    self._retire(worker)
        if change:
            self._log.info("%d workers are to serve now, %d did", self._count, before)

    # -- reloading ---------------------------------------------------------------------------------------------------

    def _reload(self) -> None:
        """Begins a new generation; one that is still starting is of no use any more."""
        if self._stopping:
            return
        if self._replaced is not None:
            # One at a time: workers that leave still have their lanes.
            self._reload_again = True
            return
        if self._next is not None:
            self._drop(self._next)
        if self._current is not None:
            self._notifier.reloading()
        self._numbers += 1
        try:
            pid, line = template.start(self._recipe, self._descriptors())
        except OSError as error:
            self._abandon(Failure(f"no process can be started: {error.strerror}", str(error)))
            return
        line.socket.settimeout(0)
        made = self._next = _Generation(self._numbers, pid, line, time.monotonic())
        self._generations.append(made)
        self._selector.register(
            line.socket, selectors.EVENT_READ, lambda: self._hear_template(made)
        )

    def _hear_template(self, generation: _Generation) -> None:
        messages = generation.line.receive()
        if messages is None:
            self._template_ended(generation)
            return
        for message in messages:
            match message.get("say"):
                case child.READY:
                    self._template_is_ready(generation)
                case child.BROKEN:
                    generation.failure = _failure(message)
                case child.FORKED:
                    if worker := self._keys.get(message.get("key", "")):
                        worker.pid = int(message["pid"])
                case child.ENDED:
                    if worker := self._keys.get(message.get("key", "")):
                        self._ended(worker, message["status"])
                case _:
                    pass

    def _template_is_ready(self, generation: _Generation) -> None:
        generation.is_ready = True
        if generation is not self._next:
            return
        for slot in self._slots[: self._count]:
            if slot.coming is not None:
                self._dismiss(slot.coming)
            slot.wanted, slot.not_before = generation, 0.0

    def _template_ended(self, generation: _Generation) -> None:
        self._forget(generation.line)
        generation.is_gone = True
        if self._stopping:
            return
        if generation is self._next:
            self._abandon(
                generation.failure
                or Failure(
                    "the program ended while it was imported",
                    "What it said stands above, if anything.",
                )
            )
        elif generation is self._current:
            self._log.error(
                "the process that has imported the app was ended from outside: importing it anew"
            )
            self._retry_at = 0.0

    def _take_over(self) -> None:
        """All workers of the new generation are ready: they replace the others."""
        made, old = self._next, self._current
        assert made is not None  # noqa: S101 - for the type checker
        self._current, self._next = made, None
        replaced: list[_Worker] = []
        for slot in self._slots:
            if slot.serving is not None:
                replaced.append(slot.serving)
                self._retire(slot.serving)
            slot.serving, slot.coming = slot.coming, None
            slot.deaths.clear()
        if old is None:
            secure = self._recipe.options.tls is not None
            urls = " and ".join(told(listener.url, secure=secure) for listener in self._doors.of(0))
            many = "1 worker" if self._count == 1 else f"{self._count} workers"
            self._log.info("Kingpost is ready on %s (production, %s)", urls, many)
            self._notifier.ready(many)
            return
        old.line.finish()
        said = f"reloaded in {time.monotonic() - made.begun:.2f} s"
        self._replaced = (replaced, time.monotonic() + _LEAVE_GRACE, said)

    def _finish_reload(self, now: float) -> None:
        if self._replaced is not None:
            workers, until, said = self._replaced
            if now > until or all(worker.has_left for worker in workers):
                # Only now nobody gets an answer of the old code.
                self._replaced = None
                self._log.info("%s", said)
                self._notifier.ready(said)
                self._answer("done", text=said)
        if self._replaced is None and self._reload_again:
            self._reload_again = False
            self._reload()
        if self._stopping:
            return
        if (
            self._next is None
            and self._current is not None
            and self._current.is_gone
            and now >= self._retry_at
        ):
            self._retry_at = now + _RETRY
            self._reload()
        slow = self._next
        if slow is not None and not slow.was_called_slow and now > slow.begun + _SLOW:
            slow.was_called_slow = True
            self._log.warning(
                "the new code is still starting, after %g seconds: an import, or what runs at start-up, takes long",
                _SLOW,
            )

    def _abandon(self, failure: Failure) -> None:
        """New code does not run: what was there before goes on."""
        failed, self._next = self._next, None
        if failed is not None:
            self._drop(failed)
        self._log.error("%s", failure.report.rstrip() or failure.summary)
        if self._current is None:
            self._log.error("the app did not start: %s", failure.summary)
            self._status = 1
            self._stop(time.monotonic(), hurried=False)
            return
        self._log.error("the code before keeps serving: %s", failure.summary)
        self._notifier.ready(f"the last reload failed: {failure.summary}")
        self._answer("failed", summary=failure.summary, report=failure.report)
        for slot in self._slots[: self._count]:
            if slot.serving is None:
                slot.wanted = self._current

    def _drop(self, generation: _Generation) -> None:
        """Ends a generation that never served."""
        if generation is self._next:
            self._next = None
        for slot in self._slots:
            if slot.wanted is generation:
                slot.wanted = None
            if slot.coming is not None and slot.coming.generation is generation:
                self._dismiss(slot.coming)
        if generation.is_ready:
            generation.line.finish()
        else:
            _kill(generation.pid, signal.SIGKILL)

    # -- workers -----------------------------------------------------------------------------------------------------

    def _start_wanted(self, now: float) -> None:
        for slot in self._slots[: self._count]:
            generation, lane = slot.wanted, slot.free_lane()
            if (
                generation is not None
                and not generation.is_gone
                and slot.coming is None
                and lane is not None
                and now >= slot.not_before
            ):
                slot.wanted = None
                self._start(slot, lane, generation)

    def _start(self, slot: _Slot, lane: int, generation: _Generation) -> None:
        listeners = [*self._doors.of(slot.number)]
        for number in slot.adopted:
            listeners += self._doors.of(number)
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        self._numbers += 1
        key = str(self._numbers)
        worker = _Worker(key, slot, lane, generation, Line(ours), listeners, time.monotonic())
        numbers = [theirs.fileno(), *(listener.socket.fileno() for listener in listeners)]
        message = {
            "say": child.FORK,
            "key": key,
            "slot": str(slot.number),
            "lane": str(lane),
            "descriptors": str(len(numbers)),
        }
        try:
            socket.send_fds(generation.line.socket, [json.dumps(message).encode() + b"\n"], numbers)
        except OSError:
            # Its end is heard of in a moment.
            ours.close()
            slot.wanted = generation
            return
        finally:
            theirs.close()
        self._keys[key] = worker
        slot.coming = worker
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear_worker(worker))

    def _hear_worker(self, worker: _Worker) -> None:
        messages = worker.line.receive()
        if messages is None:
            worker.hears = False
            self._forget(worker.line)
            if worker.generation.is_gone and not self._adopts:
                self._ended(worker, "")
            return
        for message in messages:
            match message.get("say"):
                case child.READY:
                    self._is_ready(worker)
                case child.BROKEN:
                    worker.failure = _failure(message)
                case child.LEFT:
                    self._has_left(worker)
                case child.WORN:
                    if worker is worker.slot.serving and worker.slot.coming is None:
                        self._log.info("%s is replaced %s", worker.name, message.get("reason", ""))
                        worker.slot.wanted = worker.slot.wanted or self._current
                case _:
                    pass

    def _is_ready(self, worker: _Worker) -> None:
        slot = worker.slot
        worker.ready_at = time.monotonic()
        self._stillborn = 0
        if worker is not slot.coming or self._stopping:
            return
        if worker.generation is self._next:
            ready = [each.coming for each in self._slots[: self._count]]
            if all(each and each.ready_at and each.generation is self._next for each in ready):
                self._take_over()
                self._relieve()
            return
        if slot.serving is not None:
            self._retire(slot.serving)
        slot.serving, slot.coming = worker, None
        self._relieve()

    def _relieve(self) -> None:
        """Workers of slots that are out of service leave once another has their sockets."""
        heir = self._slots[0].serving
        for slot in self._slots[self._count :]:
            if slot.serving is not None and heir is not None:
                sockets = self._doors.of(slot.number)
                if all(listener in heir.listeners for listener in sockets):
                    self._retire(slot.serving)
                    slot.serving = None

    def _has_left(self, worker: _Worker) -> None:
        worker.has_left = True
        if worker is worker.slot.serving:
            # Told by a signal, or by its own code.
            self._retire(worker)
            self._replace(worker.slot)

    def _retire(self, worker: _Worker) -> None:
        if worker.told_at is None:
            worker.told_at = time.monotonic()
            worker.line.send(child.STOP)
        slot = worker.slot
        if worker not in slot.leaving:
            slot.leaving.append(worker)
        if worker is slot.serving:
            slot.serving = None
        if worker is slot.coming:
            slot.coming = None

    def _dismiss(self, worker: _Worker) -> None:
        """Ends a worker that never served."""
        self._retire(worker)
        worker.line.send(child.STOP_NOW)
        _kill(worker.pid, signal.SIGKILL)

    def _replace(self, slot: _Slot) -> None:
        if slot.number >= self._count or self._stopping:
            return
        if slot.wanted is None and slot.coming is None:
            slot.wanted = self._current

    def _ended(self, worker: _Worker, status: str) -> None:
        """A worker's process is no more."""
        if self._keys.pop(worker.key, None) is None:
            return
        self._hear_last_words(worker)
        slot = worker.slot
        worker.has_left = True
        self._workshop.left(slot.number, worker.lane)
        if worker in slot.leaving:
            slot.leaving.remove(worker)
            if worker.failure is not None:
                self._log.error("%s", worker.failure.report.rstrip())
        elif worker is slot.serving:
            slot.serving = None
            self._fell(worker, status)
        elif worker is slot.coming:
            slot.coming = None
            self._never_served(worker, status)

    def _hear_last_words(self, worker: _Worker) -> None:
        while worker.hears and (words := worker.line.receive()):
            for message in words:
                if message.get("say") == child.BROKEN:
                    worker.failure = _failure(message)
        self._forget(worker.line)

    def _fell(self, worker: _Worker, status: str) -> None:
        """One that served has ended, and nobody had told it to."""
        if self._stopping:
            return
        now = time.monotonic()
        lived = now - (worker.ready_at or worker.begun)
        self._log.error(
            "%s %s after %.0f s: another takes its place", worker.name, _how(status), lived
        )
        self._deaths += 1
        self._delay(worker.slot, now)
        self._replace(worker.slot)

    def _never_served(self, worker: _Worker, status: str) -> None:
        if self._stopping:
            return
        failure = worker.failure or Failure(
            f"{worker.name} {_how(status)} before it could serve", ""
        )
        if worker.generation is self._next:
            self._abandon(failure)
            return
        self._log.error("%s", failure.report.rstrip() or failure.summary)
        self._stillborn += 1
        if worker.slot.serving is None:
            self._delay(worker.slot, time.monotonic())
            self._replace(worker.slot)

    def _delay(self, slot: _Slot, now: float) -> None:
        """Gives a slot whose workers keep ending some time."""
        slot.deaths.append(now)
        while slot.deaths[0] < now - _DEATHS_SPAN:
            slot.deaths.popleft()
        if len(slot.deaths) <= _FREE_DEATHS:
            slot.delay = 0.0
            return
        slot.delay = min(_MOST_DELAY, slot.delay * 2 or _FIRST_DELAY)
        slot.not_before = now + slot.delay
        self._log.error(
            "worker %d ended %d times in a minute: the next one starts in %g s",
            slot.number + 1,
            len(slot.deaths),
            slot.delay,
        )

    def _give_up(self) -> None:
        """Where nothing serves and nothing will, the service ends: whoever started it learns of it."""
        if self._stopping or self._serves() or self._current is None:
            return
        most = _MOST_DEATHS + _FREE_DEATHS * self._count
        if self._stillborn < _MOST_STILLBORN and self._deaths < most:
            return
        self._log.critical(
            "no worker serves, and %d in a row ended: giving up. What they said stands above",
            max(self._stillborn, self._deaths),
        )
        self._status = 1
        self._stop(time.monotonic(), hurried=True)

    # -- ends --------------------------------------------------------------------------------------------------------

    def _reap(self) -> None:
        """Waits for templates that have ended, and for workers whose template has."""
        for generation in [*self._generations]:
            if template.ended(generation.pid) is not None:
                self._generations.remove(generation)
                generation.is_gone = True
        if self._adopts:
            for worker in [*self._keys.values()]:
                if worker.generation not in self._generations:
                    status = template.ended(worker.pid) if worker.pid else ""
                    if status is not None:
                        self._ended(worker, status)

    def _end_late_ones(self, now: float) -> None:
        grace = self._recipe.options.grace + _KILL_AFTER
        for worker in self._workers():
            if worker.told_at is not None and now > worker.told_at + grace:
                self._log.error("%s did not stop in time: ending it", worker.name)
                worker.told_at = now
                _kill(worker.pid, signal.SIGKILL)
            if worker.dumped_at is not None and now > worker.dumped_at + _DUMP_GRACE:
                worker.dumped_at = now
                _kill(worker.pid, signal.SIGKILL)

    def _look_at_loops(self, now: float) -> None:
        """Ends workers whose loop does not turn. Time in which this process was held up itself does not count."""
        passed = now - self._looked_at
        if passed < BEAT:
            return
        self._looked_at = now
        limit = self._recipe.processes.silence
        for worker in self._workers():
            if worker.ready_at is None or worker.told_at is not None:
                continue
            if now > worker.ready_at + _DEATHS_SPAN:
                self._deaths = 0
            beat = self._workshop.beat_of(worker.slot.number, worker.lane)
            if beat != worker.beat:
                worker.beat, worker.silent = beat, 0.0
                continue
            worker.silent += min(passed, 2 * BEAT)
            if limit and worker.silent > limit and worker.dumped_at is None:
                worker.dumped_at = now
                self._log.error(
                    "%s has not turned its event loop for %.0f s: something blocks it, and its stack follows. Another takes its place",
                    worker.name,
                    worker.silent,
                )
                # Python's faulthandler writes the stacks of all threads to standard error.
                _kill(worker.pid, signal.SIGABRT)

    def _workers(self) -> list[_Worker]:
        return [*self._keys.values()]

    def _is_over(self) -> bool:
        return self._stopping and not self._keys

    def _end_all(self) -> None:
        for worker in self._workers():
            _kill(worker.pid, signal.SIGKILL)
            self._forget(worker.line)
        for generation in self._generations:
            self._forget(generation.line)
        deadline = time.monotonic() + _LAST_GRACE
        while self._generations:
            for generation in [*self._generations]:
                if template.ended(generation.pid) is not None:
                    self._generations.remove(generation)
                elif time.monotonic() > deadline:
                    _kill(generation.pid, signal.SIGKILL)
            time.sleep(0.005)
        for line in self._askers:
            line.close()

    # -- lines -------------------------------------------------------------------------------------------------------

    def _descriptors(self) -> list[int]:
        """What is open here and none of a forked process's business: a line that it held would never end."""
        found = [key.fd for key in self._selector.get_map().values()]
        for slot in self._slots:
            found += [listener.socket.fileno() for listener in self._doors.of(slot.number)]
        return [*found, *self._notifier.descriptors]

    def _forget(self, line: Line) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(line.socket)
        line.close()

    def _accept(self) -> None:
        """Somebody asks for something, such as `kingpost reload`."""
        if self._control is None:
            return
        try:
            sock, _ = self._control.socket.accept()
        except OSError:
            return
        sock.settimeout(0)
        line = Line(sock)
        self._selector.register(sock, selectors.EVENT_READ, lambda: self._hear_asker(line))

    def _hear_asker(self, line: Line) -> None:
        messages = line.receive()
        if messages is None:
            if line in self._askers:
                self._askers.remove(line)
            self._forget(line)
            return
        for message in messages:
            match message.get("say"):
                case "reload":
                    self._askers.append(line)
                    self._reload()
                case _:
                    line.send("failed", summary="this service does not know that order")

    def _answer(self, say: str, **more: str) -> None:
        askers, self._askers = self._askers, []
        for line in askers:
            line.send(say, **more)


def supervise(recipe: Recipe, address: Address) -> int:
    """Serves with several processes until SIGINT or SIGTERM; returns the exit status.

    Raises:
        ListenError: the address, or that of the control socket, cannot be had.
    """
    logs.set_up()
    doors = Doors(address, shared=recipe.processes.shared_listener)
    control: Listener | None = None
    notifier = Notifier()
    try:
        if recipe.processes.control is not None:
            (control,) = open_listeners(Address(uds=recipe.processes.control, uds_mode=0o600))
        status = Supervisor(recipe, doors, control, notifier).run()
        if not status:
            logs.logger().info("Kingpost has stopped")
        return status
    finally:
        notifier.close()
        doors.close()
        if control is not None:
            control.close()
        recipe.workshop.close()


def _failure(message: dict[str, str]) -> Failure:
    return Failure(message.get("summary", ""), message.get("report", ""))


def _how(status: str) -> str:
    """What became of a process."""
    if not status:
        return "ended"
    if not status.startswith("-"):
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-int(status)).name}"
    except ValueError:
        return f"was ended by signal {status[1:]}"


def _kill(pid: int, number: signal.Signals) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _empty(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while sock.recv(4096):
            pass


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
