"""The supervisor's own decisions, at a time that the test sets and without processes."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kingpost.server import supervisor as module
from kingpost.server.child import Line
from kingpost.server.listen import Listener, ListenError
from kingpost.server.options import Options
from kingpost.server.processes import Processes
from kingpost.server.roster import Generation, Worker
from kingpost.server.supervisor import Supervisor
from kingpost.server.systemd import Notifier

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor")


class Doors:
    """Sockets, or none."""

    is_split = True

    def __init__(self, most: int = 99) -> None:
        self.most = most

    def of(self, slot: int) -> list[Listener]:
        if slot >= self.most:
            raise ListenError(f"port 1 is in use, for slot {slot}")
        return []

    def close(self) -> None:
        """Nothing is open."""


class Workshop:
    """What workers share: here, nothing."""

    def __init__(self) -> None:
        self.workers = 0
        self.beat = 0
        self.left_lanes: list[tuple[int, int]] = []

    def set_workers(self, count: int) -> None:
        self.workers = count

    def beat_of(self, slot: int, lane: int) -> int:
        return self.beat

    def left(self, slot: int, lane: int) -> None:
        self.left_lanes.append((slot, lane))


class Rig:
    """A supervisor of one worker that serves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, doors: Doors, **chosen: Any) -> None:
        self.workshop = Workshop()
        self.killed: list[tuple[int, signal.Signals]] = []
        self.ended: list[tuple[int, str]] = []
        monkeypatch.setattr(module._native, "adopt_orphans", lambda: True)
        monkeypatch.setattr(module, "_kill", lambda *what: self.killed.append(what))
        monkeypatch.setattr(
            module.template, "any_ended", lambda: self.ended.pop(0) if self.ended else None
        )
        recipe = SimpleNamespace(
            workshop=self.workshop,
            options=Options(grace=10.0),
            processes=Processes(**chosen),
        )
        self.notifier = Notifier({})
        self.it = Supervisor(cast("Any", recipe), cast("Any", doors), None, self.notifier)
        self.it._scale(1)
        self.ends: list[socket.socket] = []
        self.current = self.generation(100)
        self.it._roster.next = self.current
        self.worker = self.add(self.current, 101, ready=True)
        self.it._roster.take_over()

    @property
    def now(self) -> float:
        return self.it._now

    def line(self) -> Line:
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        self.ends += (ours, theirs)
        return Line(ours)

    def generation(self, pid: int) -> Generation:
        made = Generation(pid, pid, self.line(), self.now)
        self.it._generations.append(made)
        return made

    def add(self, generation: Generation, pid: int, *, ready: bool = False) -> Worker:
        slot = self.it._roster.slots[0]
        lane = slot.free_lane()
        assert lane is not None
        sockets = frozenset({0})
        worker = Worker(str(pid), slot, lane, generation, self.line(), sockets, self.now, pid=pid)
        slot.workers.append(worker)
        self.it._keys[worker.key] = worker
        if ready:
            self.it._roster.ready(worker, self.now)
        return worker

    def close(self) -> None:
        self.it._selector.close()
        for end in self.ends:
            end.close()


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Generator[Rig]:
    with contextlib.closing(Rig(monkeypatch, Doors(), start_timeout=60.0)) as made:
        yield made


def test_an_import_may_take_as_long_as_it_may_and_no_longer(rig: Rig) -> None:
    coming = rig.it._roster.next = rig.generation(200)
    rig.it._now = coming.begun + 60
    rig.it._look_at_reload()
    assert rig.killed == []
    rig.it._now += 0.001
    rig.it._look_at_reload()
    rig.it._look_at_reload()
    # Its stack is written; then it is ended whatever it does.
    assert rig.killed == [(200, signal.SIGABRT)]
    assert coming.failure is not None
    assert "was not imported within 60 s" in coming.failure.summary
    rig.it._now += 2.001
    rig.it._look_at_reload()
    assert rig.killed[1:] == [(200, signal.SIGKILL)]


def test_a_start_up_may_take_as_long_as_it_may_and_no_longer(rig: Rig) -> None:
    coming = rig.add(rig.current, 102)
    rig.it._now = coming.begun + 60
    rig.workshop.beat += 1
    rig.it._look_at_loops()
    assert rig.killed == []
    rig.it._now += 0.001
    rig.it._look_at_loops()
    rig.it._look_at_loops()
    assert rig.killed == [(102, signal.SIGABRT)]
    rig.it._now += 2.001
    rig.it._end_late_ones()
    assert rig.killed[1:] == [(102, signal.SIGKILL)]


def test_without_a_limit_a_start_may_take_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(Rig(monkeypatch, Doors(), start_timeout=0.0, silence=0.0)) as rig:
        rig.it._roster.next = rig.generation(200)
        rig.add(rig.current, 102)
        rig.it._now += 10**6
        rig.it._look_at_loops()
        rig.it._look_at_reload()
        assert rig.killed == []


def test_a_loop_may_be_silent_as_long_as_it_may_and_no_longer(rig: Rig) -> None:
    rig.workshop.beat = 1
    rig.it._look_at_loops()
    rig.it._now += 30
    rig.it._look_at_loops()
    assert rig.killed == []
    rig.it._now += 0.001
    rig.it._look_at_loops()
    rig.it._look_at_loops()
    assert rig.killed == [(101, signal.SIGABRT)]


def test_who_was_told_to_stop_has_the_grace_and_eight_seconds(rig: Rig) -> None:
    rig.it._stop(hurried=False)
    told = rig.now
    rig.it._now = told + 18
    rig.it._end_late_ones()
    assert rig.killed == []
    rig.it._now += 0.001
    rig.it._end_late_ones()
    assert rig.killed == [(101, signal.SIGKILL)]


def test_a_template_that_makes_no_worker_holds_up_no_stop(rig: Rig) -> None:
    rig.add(rig.current, 0)
    rig.it._stop(hurried=False)
    rig.it._now += 18.001
    rig.it._end_late_ones()
    assert (100, signal.SIGKILL) in rig.killed


def test_time_in_which_the_supervisor_was_held_up_is_held_against_nobody(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, clock = rig.now, module.time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: clock + 3600)
    rig.it._selector.register(rig.ends[0], 1, lambda: None)
    rig.ends[1].send(b"x")
    rig.it._wait()
    assert before <= rig.now <= before + 2


@pytest.mark.parametrize(("every", "most"), [(None, 1.0), (0.5, 0.5), (7.0, 1.0)])
def test_signs_of_life_are_not_slept_through(rig: Rig, every: float | None, most: float) -> None:
    waited: list[float] = []

    class Selector:
        def select(self, seconds: float) -> list[object]:
            waited.append(seconds)
            return []

        def close(self) -> None:
            """Nothing is open."""

    selector, rig.it._selector = rig.it._selector, cast("Any", Selector())
    rig.notifier.every = every
    rig.it._told_alive = rig.it._seen
    rig.it._wait()
    selector.close()
    assert waited == [pytest.approx(most, abs=1e-6)]


def test_who_has_no_socket_at_all_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(Rig(monkeypatch, doors := Doors())) as rig:
        doors.most = 0
        with pytest.raises(ListenError, match="in use"):
            rig.it._scale(1)
        doors.most = 3
        rig.it._scale(5)
        assert rig.it._roster.count == 3
        assert rig.workshop.workers == 3


def test_a_worker_whose_line_ended_before_its_template_did_has_ended_where_nobody_adopts_it(
    rig: Rig,
) -> None:
    rig.it._adopts = False
    rig.worker.hears = False
    rig.it._reap()
    assert rig.it._workers() == [rig.worker]
    rig.current.is_gone = True
    rig.it._reap()
    assert rig.it._workers() == []
    assert rig.workshop.left_lanes == [(0, 0)]


def test_a_worker_that_was_left_by_its_template_is_waited_for(rig: Rig) -> None:
    rig.ended += [(100, "-9"), (55, "0"), (101, "7")]
    rig.it._reap()
    assert rig.current.is_gone
    assert rig.it._workers() == []


def test_the_number_of_a_worker_whose_template_lives_may_be_that_of_another(rig: Rig) -> None:
    rig.ended += [(101, "0")]
    rig.it._reap()
    assert rig.it._workers() == [rig.worker]
