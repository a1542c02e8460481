"""What the supervisor is to do next, whatever happened before: without processes, and without waiting."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

import pytest

from kingpost.server.roster import Generation, Roster, Start, Stop, Worker
from kingpost.server.shared import LANES


class Service:
    """A supervisor without processes: it does what the roster says, at a time that the test sets."""

    def __init__(self, count: int, *, is_split: bool = True) -> None:
        self.roster = Roster(is_split=is_split)
        self.roster.scale(count)
        self.now = 1000.0
        self.numbers = 0
        self.forced: list[Worker] = []
        self.started = 0
        self.reload()
        self.settle()

    def reload(self, *, ready: bool = True) -> Generation:
        """New code; its template has imported it already, unless said."""
        self.numbers += 1
        made = Generation(self.numbers, self.numbers, cast("Any", None), self.now, is_ready=ready)
        self.roster.drop()
        self.roster.next = made
        return made

    def step(self) -> None:
        """Follows orders, once."""
        if self.roster.is_complete:
            self.roster.take_over()
        for order in self.roster.orders(self.now):
            if isinstance(order, Stop):
                order.worker.told_at = self.now
                if order.by_force:
                    self.forced.append(order.worker)
                continue
            assert isinstance(order, Start)
            assert not order.generation.is_gone
            assert order.lane not in {each.lane for each in order.slot.workers}
            self.started += 1
            order.slot.workers.append(
                Worker(
                    str(self.started),
                    order.slot,
                    order.lane,
                    order.generation,
                    cast("Any", None),
                    order.sockets,
                    self.now,
                )
            )

    def ready(self, generation: Generation | None = None) -> None:
        """Workers, of this generation if it is said, become ready."""
        for worker in self.roster.workers:
            is_coming = worker.ready_at is None and worker.told_at is None
            if is_coming and generation in (None, worker.generation):
                self.now += 0.001
                self.roster.ready(worker, self.now)

    def leave(self) -> None:
        """Those that were told to stop have done so."""
        for worker in self.roster.workers:
            if worker.told_at is not None:
                self.roster.left(worker, self.now)
                self.roster.ended(worker, self.now)

    def settle(self) -> None:
        """All goes well, until nothing is left to do."""
        for _ in range(20):
            self.step()
            self.ready()
            self.leave()
        assert self.roster.is_settled, [slot.workers for slot in self.roster.slots]

    def serving(self, slot: int) -> Worker:
        (worker,) = self.roster.slots[slot].serving
        return worker

    def shares(self) -> list[int]:
        """How many sockets each slot in service has."""
        return [len(self.serving(number).sockets) for number in range(self.roster.count)]


def is_leaving(worker: Worker) -> bool:
    return worker.told_at is not None


def test_each_slot_in_service_gets_a_worker() -> None:
    service = Service(3)
    assert service.started == 3
    assert service.shares() == [1, 1, 1]
    assert service.roster.current is not None
    assert service.roster.next is None
    service.step()
    assert service.started == 3


def test_a_worker_that_ends_is_replaced_at_once() -> None:
    service = Service(2)
    service.roster.ended(service.serving(0), service.now)
    service.step()
    assert service.started == 3
    service.settle()


def test_a_worn_worker_leaves_once_another_is_ready() -> None:
    service = Service(1)
    worn = service.serving(0)
    worn.is_worn = True
    service.step()
    assert not is_leaving(worn)
    service.ready()
    service.step()
    assert is_leaving(worn)
    assert worn not in service.forced
    service.settle()


# -- ends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaves", [False, True], ids=["killed", "leaves by itself"])
def test_a_slot_whose_workers_keep_ending_waits_longer_each_time(leaves: bool) -> None:
    service = Service(1)
    delays: list[float] = []
    for _ in range(12):
        worker = service.serving(0)
        if leaves:
            delays.append(service.roster.left(worker, service.now))
            assert service.roster.ended(worker, service.now) == 0
        else:
            delays.append(service.roster.ended(worker, service.now))
        if delays[-1]:
            service.now += delays[-1] - 0.001
            service.step()
            assert service.roster.workers == []
            service.now += 0.001
        service.step()
        assert len(service.roster.workers) == 1
        service.ready()
    assert delays == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]


def test_a_worn_worker_whose_successors_fail_serves_on_and_they_are_given_time() -> None:
    service = Service(1)
    worn = service.serving(0)
    worn.is_worn = True
    for _ in range(6):
        service.step()
        (coming,) = (each for each in service.roster.workers if each.ready_at is None)
        service.roster.ended(coming, service.now)
    service.step()
    assert service.roster.workers == [worn]
    assert not service.roster.is_hopeless
    service.now += 1
    service.step()
    assert len(service.roster.workers) == 2


def test_five_in_a_row_that_never_serve_are_hopeless_where_nothing_serves() -> None:
    service = Service(1)
    service.roster.ended(service.serving(0), service.now)
    for _ in range(5):
        assert not service.roster.is_hopeless
        service.now = max(service.now, service.roster.slots[0].backoff.until)
        service.step()
        (coming,) = service.roster.workers
        service.roster.ended(coming, service.now)
    assert service.roster.is_hopeless


def test_new_code_that_serves_in_one_place_and_fails_in_another_is_hopeless_in_the_end() -> None:
    service = Service(2)
    assert service.roster.current is not None
    service.roster.current.is_gone = True
    for number in range(2):
        service.roster.ended(service.serving(number), service.now)
    for _ in range(5):
        assert not service.roster.is_hopeless
        service.reload()
        service.step()
        first, second = service.roster.workers
        service.roster.ready(first, service.now)
        service.roster.ended(second, service.now)
        service.roster.drop()
        assert not service.roster.serves
        service.step()
        service.leave()
        # What the supervisor counts where an import fails and nothing serves.
        service.roster.stillborn += 1
    assert service.roster.is_hopeless


def test_workers_that_end_soon_after_they_serve_are_hopeless_in_the_end() -> None:
    service = Service(2)
    count = 0
    while not service.roster.is_hopeless:
        for worker in service.roster.workers:
            service.roster.ended(worker, service.now)
            count += 1
        service.now = max(service.now, *(slot.backoff.until for slot in service.roster.slots))
        if not service.roster.is_hopeless:
            service.step()
            service.ready()
    assert count == 20


def test_a_worker_that_serves_for_a_minute_makes_up_for_those_before() -> None:
    service = Service(1)
    for _ in range(4):
        service.roster.ended(service.serving(0), service.now)
        service.settle()
    assert service.roster.ends == 4
    service.now += 61
    service.step()
    assert service.roster.ends == 0


# -- reloading -------------------------------------------------------------------------------------------------------


def test_new_code_replaces_all_workers_or_none() -> None:
    service = Service(2)
    before = service.roster.workers
    made = service.reload()
    service.step()
    first, second = (each for each in service.roster.workers if each.generation is made)
    service.roster.ready(first, service.now)
    service.step()
    assert not any(each.told_at for each in before)
    service.roster.ready(second, service.now)
    service.step()
    assert all(each.told_at for each in before)
    assert service.roster.has_old_code
    for worker in before:
        service.roster.left(worker, service.now)
    assert not service.roster.has_old_code


def test_given_up_code_lets_those_of_it_that_serve_already_finish_what_they_have() -> None:
    service = Service(2)
    made = service.reload()
    service.step()
    first, second = (each for each in service.roster.workers if each.generation is made)
    service.roster.ready(first, service.now)
    service.roster.drop()
    service.step()
    assert first.told_at is not None
    assert service.forced == [second]
    service.settle()
    assert service.started == 4


def test_a_worker_that_ends_while_new_code_starts_is_replaced_at_once() -> None:
    service = Service(1)
    made = service.reload()
    service.step()
    service.roster.ended(service.serving(0), service.now)
    service.step()
    generations = [each.generation for each in service.roster.workers]
    assert generations == [made, service.roster.current]
    service.ready(service.roster.current)
    assert service.roster.serves
    service.settle()
    assert service.roster.current is made


def test_where_there_is_no_room_what_serves_comes_before_what_is_to_come() -> None:
    service = Service(1)
    service.serving(0).is_worn = True
    service.step()
    service.ready()
    service.step()
    # One leaves and takes its time; one serves. New code has to wait for room.
    made = service.reload()
    service.step()
    assert len(service.roster.workers) == LANES
    service.roster.ended(service.serving(0), service.now)
    service.step()
    service.step()
    assert [each.generation for each in service.roster.workers if each.told_at is None] == [
        service.roster.current
    ]
    service.settle()
    assert service.roster.current is made


def test_what_is_coming_makes_room_for_what_serves() -> None:
    service = Service(1)
    made = service.reload()
    service.step()
    # The one that serves begins to leave by itself, and takes its time.
    service.roster.left(service.serving(0), service.now)
    service.step()
    assert [each.generation for each in service.forced] == [made]
    service.roster.ended(service.forced[0], service.now)
    service.step()
    assert service.roster.workers[-1].generation is service.roster.current
    assert service.roster.stillborn == 0
    service.settle()
    assert service.roster.current is made


def test_a_slot_that_was_left_empty_by_given_up_code_is_filled() -> None:
    service = Service(1)
    service.reload()
    service.step()
    service.ready()
    # It has taken the place of the worker that ended; then the code is given up.
    service.roster.ended(
        next(each for each in service.roster.workers if each.generation is service.roster.current),
        service.now,
    )
    service.reload(ready=False)
    service.step()
    service.leave()
    service.step()
    assert [each.generation for each in service.roster.workers] == [service.roster.current]


def test_without_its_template_nothing_is_started_and_what_serves_serves() -> None:
    service = Service(2)
    current = service.roster.current
    assert current is not None
    current.is_gone = True
    service.roster.ended(service.serving(1), service.now)
    service.serving(0).is_worn = True
    service.step()
    assert len(service.roster.workers) == 1
    assert service.roster.serves
    service.reload()
    service.settle()


# -- how many --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        ([4, 3], [2, 1, 1]),
        ([8, 2], [4, 4]),
        ([8, 7, 6, 5, 4, 3, 2], [4, 4]),
        ([8, 1], [8]),
        ([8, 2, 4], [2, 2, 2, 2]),
        ([8, 1, 8], [1] * 8),
        ([5, 3, 4], [2, 1, 1, 1]),
    ],
)
def test_sockets_of_slots_out_of_service_are_dealt_out_evenly_and_given_back(
    counts: list[int], shares: list[int]
) -> None:
    service = Service(counts[0])
    for count in counts[1:]:
        service.roster.scale(count)
        service.settle()
    assert sorted(service.shares(), reverse=True) == shares
    held = [number for slot in range(counts[-1]) for number in service.serving(slot).sockets]
    assert sorted(held) == list(range(counts[0]))


def test_a_slot_out_of_service_serves_until_another_has_its_sockets() -> None:
    service = Service(2)
    last = service.serving(1)
    service.roster.scale(1)
    service.step()
    assert not is_leaving(last)
    service.ready()
    service.step()
    assert is_leaving(last)
    assert service.serving(0).sockets == {0, 1}


def test_with_one_socket_for_all_a_slot_leaves_at_once() -> None:
    service = Service(2, is_split=False)
    service.roster.scale(1)
    service.step()
    assert [each.told_at is not None for each in service.roster.workers] == [False, True]
    service.settle()
    assert service.started == 2


def test_one_worker_less_while_new_code_starts_is_one_worker_less() -> None:
    service = Service(3)
    made = service.reload()
    service.step()
    service.roster.scale(2)
    service.settle()
    assert service.roster.current is made
    assert sorted(service.shares()) == [1, 2]
    for number in range(2):
        service.roster.ended(service.serving(number), service.now)
    service.settle()
    assert sorted(service.shares()) == [1, 2]


def test_one_worker_more_while_new_code_starts_is_waited_for() -> None:
    service = Service(1)
    made = service.reload()
    service.step()
    service.roster.scale(2)
    service.ready(made)
    service.step()
    assert service.roster.current is not made
    service.settle()
    assert service.roster.current is made


# -- time limits and the end -----------------------------------------------------------------------------------------


def test_a_start_may_take_as_long_as_it_may_and_no_longer() -> None:
    service = Service(1)
    service.serving(0).is_worn = True
    service.step()
    (coming,) = (each for each in service.roster.workers if each.ready_at is None)
    assert service.roster.overdue(coming.begun + 60, 60) == []
    assert service.roster.overdue(coming.begun + 60.001, 60) == [coming]
    assert service.roster.overdue(coming.begun + 10**9, 0) == []
    service.ready()
    assert service.roster.overdue(coming.begun + 10**9, 60) == []


def test_who_stops_ends_what_has_begun_nothing_by_force_and_starts_nothing() -> None:
    service = Service(2)
    serving = service.roster.workers
    service.reload()
    service.step()
    service.roster.is_stopping = True
    service.step()
    assert len(service.forced) == 2
    assert not set(service.forced) & set(serving)
    assert all(each.told_at is not None for each in service.roster.workers)
    service.leave()
    service.step()
    assert service.roster.workers == []


class Weather:
    """What may happen to a service, in any order."""

    def __init__(self, service: Service, chance: random.Random) -> None:
        self.service = service
        self.roster = service.roster
        self.chance = chance

    def happen(self) -> None:
        events: list[Callable[[], None]] = [
            self.one_ends,
            self.one_leaves,
            self.one_wears_out,
            self.new_code_comes,
            self.code_is_given_up,
            lambda: self.roster.scale(self.chance.randint(1, 6)),
            self.template_ends,
            self.some_are_ready,
            self.service.leave,
        ]
        self.chance.choice(events)()
        self.service.now += self.chance.choice([0.0, 0.05, 1.0, 20.0])

    def one(self) -> Worker | None:
        return self.chance.choice(self.roster.workers) if self.roster.workers else None

    def one_ends(self) -> None:
        if worker := self.one():
            self.roster.ended(worker, self.service.now)
            self.no_longer_all(worker)

    def one_leaves(self) -> None:
        worker = self.one()
        if worker is not None and worker.ready_at is not None and not worker.has_left:
            self.roster.left(worker, self.service.now)
            self.no_longer_all(worker)

    def no_longer_all(self, worker: Worker) -> None:
        if worker.generation is self.roster.next:
            self.roster.drop()

    def one_wears_out(self) -> None:
        if worker := self.one():
            worker.is_worn = True

    def new_code_comes(self) -> None:
        self.service.reload(ready=self.chance.random() < 0.7)

    def code_is_given_up(self) -> None:
        self.roster.drop()

    def template_ends(self) -> None:
        if self.roster.current is not None and self.chance.random() < 0.3:
            self.roster.current.is_gone = True

    def some_are_ready(self) -> None:
        for worker in self.roster.workers:
            is_coming = worker.ready_at is None and worker.told_at is None
            if is_coming and self.chance.random() < 0.5:
                self.service.now += 0.001
                self.roster.ready(worker, self.service.now)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_in_whatever_order_all_is_well_in_the_end(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    is_split = seed % 4 != 0
    service = Service(chance.randint(1, 4), is_split=is_split)
    roster = service.roster
    weather = Weather(service, chance)
    for _ in range(chance.randint(5, 120)):
        weather.happen()
        service.step()
        assert all(len(slot.workers) <= LANES for slot in roster.slots)

    # From here on all goes well.
    if roster.next is not None:
        roster.next.is_ready = True
    elif roster.current is None or roster.current.is_gone:
        service.reload()
    service.now += 100
    service.settle()
    if is_split:
        held = {number for slot in range(roster.count) for number in service.serving(slot).sockets}
        assert held == set(range(len(roster.slots)))
        assert max(service.shares()) <= min(service.shares()) + 1
