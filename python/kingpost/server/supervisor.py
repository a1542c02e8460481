"""The supervisor of `kingpost run --workers`: keeps the listening sockets, and a worker in each slot.

Rule 1: it never runs the application's code and never reads a byte of a client, so no mistake in either can end it.
Rule 2: the sockets of a slot are open from the first moment to the last: no connection is refused, it waits at worst.
Rule 3: what is to be done is said by the `Roster`; here it is done. Signal handlers and lines only note what happened.
Rule 4: a worker that ends is replaced at once, but one that keeps ending is given time; where nothing serves any more, the
supervisor ends as well, and says so.
Rule 5: nobody is blamed for time in which this process was held up itself: its clock stands still then.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable

from kingpost import _native
from kingpost.server import child, logs, template
from kingpost.server.askers import Asker, Askers
from kingpost.server.backoff import Backoff
from kingpost.server.child import Failure, Line
from kingpost.server.forked import BEAT, Recipe
from kingpost.server.listen import Address, Doors, Listener, ListenError, open_listeners, told
from kingpost.server.operations import told_operations
from kingpost.server.roster import Generation, Roster, Start, Stop, Worker
from kingpost.server.signals import HANG_UP, USERS, handled, has_terminal, named, of_no_use
from kingpost.server.systemd import Notifier

# Seconds between two looks, while something is under way and while nothing is.
_LOOK = 0.05
_IDLE_LOOK = 1.0
# Seconds that our clock moves on by at most between two looks.
_MOST_TICK = 2 * BEAT
# Seconds beyond its grace after which a worker that was told to stop is ended.
_KILL_AFTER = 8.0
# Seconds that a process has to write down its stack.
_DUMP_GRACE = 2.0
# Seconds that replaced workers may take to let go of the sockets before the reload counts as done all the same.
_LEAVE_GRACE = 5.0
# Seconds after which somebody is told that new code is still starting, and between two tries where a template is gone.
_SLOW = 10.0
_RETRY = 10.0
# Reads of what a process that is no more has said.
_LAST_WORDS = 64
# Seconds that templates have to end behind their workers.
_LAST_GRACE = 3.0


_OTHERS = named("SIGHUP", "SIGTTIN", "SIGTTOU", "SIGCHLD", "SIGUSR1", "SIGUSR2")
# A selector that is a descriptor itself.
_OF_SYSTEM = tuple(
    getattr(selectors, name)
    for name in ("EpollSelector", "DevpollSelector")
    if hasattr(selectors, name)
)


class _Reload:
    """New code on its way, from the question to the answer."""

    def __init__(self, asked: float) -> None:
        self.asked = asked
        """When, on the system's clock."""
        self.askers: list[Asker] = []
        """Who waits for its end."""
        self.leave_until = 0.0
        """Where it has taken over: when the workers before are waited for no longer."""

    def answer(self, say: str, **more: str) -> None:
        askers, self.askers = self.askers, []
        for asker in askers:
            asker.answer(say, **more)


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
        self._notifier = notifier or Notifier({})
        self._workshop = recipe.workshop
        self._roster = Roster(is_split=doors.is_split)
        self._generations: list[Generation] = []
        """Those whose process has not ended."""
        self._numbers = 0
        self._keys: dict[str, Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._seen = time.monotonic()
        self._now = self._seen
        """Our clock."""
        self._askers = (
            None
            if control is None
            else Askers(control.socket, self._selector, self._reload, lambda: self._now)
        )
        self._reloading: _Reload | None = None
        """What is starting."""
        self._finishing: _Reload | None = None
        """What has taken over, while workers of the code before still accept connections."""
        self._later: _Reload | None = None
        """What begins when that is over."""
        self._again = Backoff(0)
        """Tries to import the code anew where nothing serves."""
        self._retry_at = 0.0
        self._short_until = 0.0
        self._asked: list[int] = []
        self._woken: list[socket.socket] = []
        """What signals write to, so that it is looked what was asked for."""
        self._stops = 0
        self._stops_done = 0
        self._status = 0
        self._told_alive = 0.0
        """When, on the system's clock, which is systemd's as well."""
        # Under nohup it goes on when the terminal is closed.
        ignores = any(signal.getsignal(number) is signal.SIG_IGN for number in HANG_UP)
        self._has_terminal = not ignores and has_terminal()
        self._adopts = _native.adopt_orphans()
        self._log = logs.logger()

    def run(self) -> int:
        """Runs until told to stop; returns the exit status for the process.

        Raises:
            ListenError: there is no socket for any worker.
        """
        heard, told = socket.socketpair()
        for end in (heard, told):
            end.settimeout(0)
        self._woken = [told]
        self._selector.register(heard, selectors.EVENT_READ, lambda: _empty(heard))
        with handled(self._on_stop), handled(self._asked.append, _OTHERS):
            before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
            try:
                self._scale(self._recipe.processes.workers)
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
        busy = self._roster.is_stopping or self._finishing or not self._roster.is_settled
        seconds = _LOOK if busy else _IDLE_LOOK
        if self._notifier.every is not None:
            seconds = min(seconds, max(0.0, self._told_alive + self._notifier.every - self._seen))
        events = self._selector.select(seconds)
        real = time.monotonic()
        self._now += min(real - self._seen, _MOST_TICK)
        self._seen = real
        for key, _ in events:
            hear: Callable[[], None] = key.data
            hear()

    def _step(self) -> None:
        """Does what is due."""
        self._obey()
        self._reap()
        self._end_late_ones()
        self._look_at_loops()
        self._look_at_reload()
        self._follow_orders()
        self._give_up()
        if self._askers is not None:
            self._askers.end_silent()
        every = self._notifier.every
        if every is not None and self._seen >= self._told_alive + every:
            # Whether it serves or not, it is looked at again only then.
            self._told_alive = self._seen
            if self._roster.serves:
                self._notifier.alive()

    # -- what is asked for -------------------------------------------------------------------------------------------

    def _on_stop(self, _: int) -> None:
        self._stops += 1
        if self._stops > 3:
            raise KeyboardInterrupt

    def _obey(self) -> None:
        while self._stops_done < self._stops:
            self._stops_done += 1
            self._stop(hurried=self._stops_done > 1)
        while self._asked:
            number = self._asked.pop(0)
            if number in HANG_UP:
                if self._has_terminal and not has_terminal():
                    # The terminal was closed: nobody is there who could stop this any more.
                    self._stop(hurried=False)
                else:
                    self._reload()
            elif number in USERS:
                self._log.warning("%s", of_no_use(number))
            elif number in named("SIGTTIN"):
                self._rescale(1)
            elif number in named("SIGTTOU"):
                self._rescale(-1)

    def _stop(self, *, hurried: bool) -> None:
        if not self._roster.is_stopping:
            self._roster.is_stopping = True
            self._notifier.stopping()
            # What has come already is accepted by the workers, who close theirs then: from now on the system refuses connections.
            self._doors.close()
            for reload in (self._reloading, self._finishing, self._later):
                if reload is not None:
                    reload.answer("failed", summary="the service was told to stop")
            self._reloading = self._finishing = self._later = None
            self._drop()
        self._follow_orders()
        for worker in self._workers():
            # Nobody takes its place: it need not wait for clients that ask once more.
            worker.line.send(child.STOP_NOW if hurried else child.STOP)
            if hurried:
                latest = self._now - self._recipe.options.grace
                worker.told_at = min(worker.told_at or self._now, latest)
        if self._stops_done > 2:
            self._status = 130
            for worker in self._workers():
                _kill(worker.pid, signal.SIGKILL)

    def _rescale(self, change: int) -> None:
        """Takes one more slot into service, or one out of it."""
        if self._roster.is_stopping:
            return
        before = self._roster.count
        most = self._recipe.processes.slots
        self._scale(min(most, max(1, before + change)))
        self._log.info("%d workers are to serve now, %d did", self._roster.count, before)

    def _scale(self, count: int) -> None:
        """Sets how many slots are in service, as far as there are sockets; with those of one it can begin."""
        for number in range(count):
            try:
                self._doors.of(number)
            except ListenError as error:
                if number == 0:
                    raise
                self._log.error("there is no socket for another worker: %s", error)
                count = number
                break
        self._roster.scale(count)
        self._workshop.set_workers(count)

    # -- reloading ---------------------------------------------------------------------------------------------------

    def _reload(self, asker: Asker | None = None) -> None:
        """Begins a new generation; one that is still starting is of no use any more."""
        if self._roster.is_stopping:
            if asker is not None:
                asker.answer("failed", summary="the service was told to stop")
            return
        # Whoever waits for code that has not come yet waits for this.
        reload = self._reloading or self._later or _Reload(self._seen)
        if asker is not None:
            reload.askers.append(asker)
        if self._finishing is not None:
            # One at a time: workers that leave still have their lanes.
            self._later = reload
            return
        self._later = None
        self._begin(reload)

    def _begin(self, reload: _Reload) -> None:
        self._drop()
        self._reloading = reload
        if self._roster.current is not None:
            self._notifier.reloading()
        self._numbers += 1
        try:
            pid, line = template.start(self._recipe, self._descriptors())
        except OSError as error:
            self._abandon(Failure(f"no process can be started: {error.strerror}", str(error)))
            return
        line.socket.settimeout(0)
        made = Generation(self._numbers, pid, line, self._now)
        self._roster.next = made
        self._generations.append(made)
        self._selector.register(
            line.socket, selectors.EVENT_READ, lambda: self._hear_template(made)
        )

    def _hear_template(self, generation: Generation) -> None:
        messages = generation.line.receive()
        if messages is None:
            self._template_ended(generation)
        for message in messages or ():
            worker = self._keys.get(message.get("key", ""))
            match message.get("say"):
                case child.READY:
                    generation.is_ready = True
                case child.BROKEN:
                    generation.failure = _failure(message)
                case child.FORKED if worker is not None:
                    worker.pid = int(message["pid"])
                    if worker.is_doomed:
                        _kill(worker.pid, signal.SIGKILL)
                case child.ENDED if worker is not None:
                    self._ended(worker, message["status"])
                case _:
                    pass

    def _template_ended(self, generation: Generation) -> None:
        """Nothing is heard of a template any more."""
        if generation.is_gone:
            return
        self._forget(generation.line)
        generation.is_gone = True
        if self._roster.is_stopping:
            return
        if generation is self._roster.next:
            what = "its workers started" if generation.is_ready else "it was imported"
            self._abandon(
                generation.failure
                or Failure(
                    f"the program ended while {what}", "What it said stands above, if anything."
                )
            )
        elif generation is self._roster.current:
            self._log.error(
                "the process that has imported the app was ended from outside: importing it anew, its workers serve meanwhile"
            )
            self._retry_at = self._now

    def _look_at_reload(self) -> None:
        """Goes on with the reload that is under way, or begins one that is due."""
        if self._roster.is_complete:
            self._take_over()
        done = self._finishing
        if done is not None and (not self._roster.has_old_code or self._now > done.leave_until):
            # Only now nobody gets an answer of the old code.
            self._finishing = None
            said = f"reloaded in {self._seen - done.asked:.2f} s"
            self._log.info("%s", said)
            self._notifier.ready(said)
            done.answer("done", text=said)
        if self._roster.is_stopping or self._finishing is not None:
            return
        current, coming = self._roster.current, self._roster.next
        if self._later is not None or (
            coming is None
            and current is not None
            and current.is_gone
            and self._now >= self._retry_at
        ):
            self._reload()
        elif coming is not None:
            self._look_at_start(coming)

    def _look_at_start(self, coming: Generation) -> None:
        """Says that new code takes long to start, and ends an import that takes too long."""
        passed = self._now - coming.begun
        limit = self._recipe.processes.start_timeout
        if not coming.was_called_slow and passed > _SLOW:
            coming.was_called_slow = True
            self._log.warning(
                "the new code is still starting, after %g seconds: an import, or what runs at start-up, takes long",
                _SLOW,
            )
        if coming.is_ready or not limit:
            return
        if coming.dumped_at is not None:
            if self._now > coming.dumped_at + _DUMP_GRACE:
                _kill(coming.pid, signal.SIGKILL)
        elif passed > limit:
            coming.dumped_at = self._now
            coming.failure = Failure(
                f"the code was not imported within {limit:g} s. Its stack is in the log; --start-timeout sets how long it may take",
                "",
            )
            self._log.error("the import takes more than %g s: its stack follows", limit)
            _kill(coming.pid, signal.SIGABRT)

    def _take_over(self) -> None:
        """All workers of the new generation are ready: they replace the others."""
        before = self._roster.take_over()
        reload, self._reloading = self._reloading, None
        self._again.clear()
        if before is None:
            secure = self._recipe.options.tls is not None
            urls = " and ".join(told(listener.url, secure=secure) for listener in self._doors.of(0))
            urls += told_operations(self._recipe.operations)
            count = self._roster.count
            many = "1 worker" if count == 1 else f"{count} workers"
            self._log.info("Kingpost is ready on %s (production, %s)", urls, many)
            self._notifier.ready(many)
            # Whoever asked while the service started has the code that was there.
            if reload is not None:
                reload.answer("done", text=f"started in {self._seen - reload.asked:.2f} s")
            return
        before.line.finish()
        self._finishing = reload
        if reload is not None:
            reload.leave_until = self._now + _LEAVE_GRACE

    def _abandon(self, failure: Failure) -> None:
        """New code does not run: what was there before goes on."""
        reload, self._reloading = self._reloading, None
        self._drop()
        self._log.error("%s", failure.report.rstrip() or failure.summary)
        current = self._roster.current
        if current is None:
            self._log.error("the app did not start: %s", failure.summary)
            if reload is not None:
                reload.answer("failed", summary=failure.summary, report=failure.report)
            self._status = 1
            self._stop(hurried=False)
            return
        self._retry_at = self._now + _RETRY
        if not self._roster.serves and current.is_gone:
            self._roster.stillborn += 1
            self._retry_at = self._now + self._again.ended(self._now)
        what = "the code before keeps serving" if self._roster.serves else "no worker serves"
        self._log.error("%s: %s", what, failure.summary)
        self._notifier.ready(f"the last reload failed: {failure.summary}")
        if reload is not None:
            reload.answer("failed", summary=f"{what}: {failure.summary}", report=failure.report)

    def _drop(self) -> None:
        """Ends the generation that is starting, if there is one."""
        dropped = self._roster.drop()
        if dropped is None or dropped.is_gone:
            return
        if dropped.is_ready:
            # It ends behind its workers.
            dropped.line.finish()
        else:
            _kill(dropped.pid, signal.SIGKILL)

    # -- workers -----------------------------------------------------------------------------------------------------

    def _follow_orders(self) -> None:
        for order in self._roster.orders(self._now):
            match order:
                case Start():
                    self._start(order)
                case Stop(worker):
                    worker.told_at = self._now
                    if order.by_force:
                        worker.is_doomed = True
                        worker.line.send(child.STOP_NOW)
                        _kill(worker.pid, signal.SIGKILL)
                    else:
                        worker.line.send(child.RETIRE)

    def _start(self, order: Start) -> None:
        listeners = [
            listener for number in sorted(order.sockets) for listener in self._doors.of(number)
        ]
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            self._log_short(error)
            return
        ours.settimeout(0)
        self._numbers += 1
        key = str(self._numbers)
        numbers = [theirs.fileno(), *(listener.socket.fileno() for listener in listeners)]
        try:
            template.order(
                order.generation.line,
                numbers,
                key=key,
                slot=str(order.slot.number),
                lane=str(order.lane),
            )
        except OSError:
            # Its end is heard of in a moment, or there is room then.
            ours.close()
            return
        finally:
            theirs.close()
        worker = Worker(
            key,
            order.slot,
            order.lane,
            order.generation,
            Line(ours),
            order.sockets,
            self._now,
        )
        order.slot.workers.append(worker)
        self._keys[key] = worker
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear_worker(worker))

    def _log_short(self, error: OSError) -> None:
        """Said now and then: what is not to be had now may be in a moment."""
        if self._now >= self._short_until:
            self._short_until = self._now + _RETRY
            self._log.error(
                "no worker can be started: %s; `ulimit -n` in a shell and LimitNOFILE= in systemd allow more descriptors",
                error.strerror,
            )

    def _hear_worker(self, worker: Worker) -> None:
        messages = worker.line.receive()
        if messages is None:
            worker.hears = False
            self._forget(worker.line)
            return
        for message in messages:
            match message.get("say"):
                case child.READY:
                    if worker.told_at is None:
                        self._roster.ready(worker, self._now)
                case child.BROKEN:
                    worker.failure = _failure(message)
                case child.LEFT:
                    self._left(worker)
                case child.WORN:
                    if worker.told_at is None and not worker.is_worn:
                        worker.is_worn = True
                        self._log.info("%s is replaced %s", worker.name, message.get("reason", ""))
                case _:
                    pass

    def _left(self, worker: Worker) -> None:
        was_told = worker.told_at is not None
        delay = self._roster.left(worker, self._now)
        if was_told or self._roster.is_stopping:
            return
        if worker.generation is self._roster.next:
            self._abandon(Failure(f"{worker.name} stopped as soon as it was ready", ""))
            return
        # By a signal, or by its own code.
        self._log.warning(
            "%s stops, and the supervisor has not told it to: another takes its place", worker.name
        )
        self._tell_delay(worker, delay)

    def _ended(self, worker: Worker, status: str) -> None:
        """A worker's process is no more."""
        if self._keys.pop(worker.key, None) is None:
            return
        self._hear_last_words(worker)
        was_told = worker.told_at is not None
        lived = None if worker.ready_at is None else self._now - worker.ready_at
        delay = self._roster.ended(worker, self._now)
        self._workshop.left(worker.slot.number, worker.lane)
        if was_told or self._roster.is_stopping:
            if worker.failure is not None:
                self._log.error("%s", worker.failure.report.rstrip() or worker.failure.summary)
            return
        failure = worker.failure or Failure(
            f"{worker.name} {_how(status)} {'before it could serve' if lived is None else 'while new code started'}",
            "",
        )
        if worker.generation is self._roster.next:
            self._abandon(failure)
        elif lived is None:
            self._log.error("%s", failure.report.rstrip() or failure.summary)
        else:
            self._log.error(
                "%s %s after %.0f s: another takes its place", worker.name, _how(status), lived
            )
        self._tell_delay(worker, delay)

    def _hear_last_words(self, worker: Worker) -> None:
        # Somebody whom it has started may hold its line: not to the end without a bound.
        for _ in range(_LAST_WORDS):
            words = worker.line.receive() if worker.hears else None
            if words is None:
                break
            for message in words:
                if message.get("say") == child.BROKEN:
                    worker.failure = _failure(message)
        self._forget(worker.line)

    def _tell_delay(self, worker: Worker, delay: float) -> None:
        if delay:
            self._log.error(
                "worker %d ended %d times in a minute: the next one starts in %g s",
                worker.slot.number + 1,
                worker.slot.backoff.ends,
                delay,
            )

    def _give_up(self) -> None:
        """Where nothing serves and nothing will, the service ends: whoever started it learns of it."""
        roster = self._roster
        if roster.is_stopping or not roster.is_hopeless:
            return
        self._log.critical(
            "no worker serves, and %d in a row ended: giving up. What they said stands above",
            max(roster.stillborn, roster.ends),
        )
        self._status = 1
        self._stop(hurried=True)

    # -- ends --------------------------------------------------------------------------------------------------------

    def _reap(self) -> None:
        """Waits for templates that have ended, for workers whose template has, and for whatever else was left to us."""
        while (found := template.any_ended()) is not None:
            pid, status = found
            for generation in [*self._generations]:
                if generation.pid == pid:
                    self._generations.remove(generation)
                    self._hear_last_of(generation)
            for worker in self._workers():
                # That of a template that lives is told by it, and its number may be another's by now.
                if worker.pid == pid and worker.generation not in self._generations:
                    self._ended(worker, status)
        for worker in self._workers():
            # A process that is not known, is not ours, or was waited for by a template that could not tell it any more.
            if not worker.hears and worker.generation.is_gone:
                how = template.ended(worker.pid) if worker.pid and self._adopts else ""
                if how is not None:
                    self._ended(worker, how)

    def _hear_last_of(self, generation: Generation) -> None:
        # What the import has started may hold its line: not to the end without a bound.
        for _ in range(_LAST_WORDS):
            if generation.is_gone:
                return
            self._hear_template(generation)
        self._template_ended(generation)

    def _end_late_ones(self) -> None:
        grace = self._recipe.options.grace + _KILL_AFTER
        for worker in self._workers():
            if worker.told_at is not None and self._now > worker.told_at + grace:
                self._log.error("%s did not stop in time: ending it", worker.name)
                worker.told_at = self._now
                if worker.pid or worker.generation.is_gone:
                    _kill(worker.pid, signal.SIGKILL)
                else:
                    # Its template was asked for it, and makes none.
                    _kill(worker.generation.pid, signal.SIGKILL)
            if worker.dumped_at is not None and self._now > worker.dumped_at + _DUMP_GRACE:
                worker.dumped_at = self._now
                _kill(worker.pid, signal.SIGKILL)

    def _look_at_loops(self) -> None:
        """Ends workers that do not become ready, and those whose loop does not turn."""
        processes = self._recipe.processes
        for worker in self._roster.overdue(self._now, processes.start_timeout):
            if worker.dumped_at is None:
                worker.failure = Failure(
                    f"{worker.name} was not ready within {processes.start_timeout:g} s. Its stack is in the log; "
                    "--start-timeout sets how long its start-up may take",
                    "",
                )
                self._log.error(
                    "%s is still starting after %g s: its stack follows",
                    worker.name,
                    processes.start_timeout,
                )
                self._dump(worker)
        for worker in self._workers():
            if worker.ready_at is None or worker.told_at is not None:
                continue
            beat = self._workshop.beat_of(worker.slot.number, worker.lane)
            if beat != worker.beat:
                worker.beat, worker.beat_at = beat, self._now
            silent = self._now - worker.beat_at
            if processes.silence and silent > processes.silence and worker.dumped_at is None:
                self._log.error(
                    "%s has not turned its event loop for %.0f s: something blocks it, and its stack follows. Another takes its place",
                    worker.name,
                    silent,
                )
                self._dump(worker)

    def _dump(self, worker: Worker) -> None:
        """Python's faulthandler writes the stacks of all threads to standard error as the process ends."""
        worker.dumped_at = self._now
        _kill(worker.pid, signal.SIGABRT)

    def _workers(self) -> list[Worker]:
        return [*self._keys.values()]

    def _is_over(self) -> bool:
        return self._roster.is_stopping and not self._keys

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
        if self._askers is not None:
            self._askers.close()

    # -- lines -------------------------------------------------------------------------------------------------------

    def _descriptors(self) -> list[int]:
        """What is open here and none of a forked process's business: a line that it held would never end."""
        found = [key.fd for key in self._selector.get_map().values()]
        for slot in self._roster.slots:
            found += [listener.socket.fileno() for listener in self._doors.of(slot.number)]
        if isinstance(self._selector, _OF_SYSTEM):
            found.append(self._selector.fileno())
        found += [each.fileno() for each in self._woken]
        return [*found, *self._notifier.descriptors]

    def _forget(self, line: Line) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(line.socket)
        line.close()


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
