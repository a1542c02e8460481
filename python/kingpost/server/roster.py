"""Who is to serve where: the processes of a service, and what is to be done about them next.

Rule 1: nothing here starts or ends a process, opens a socket or looks at a clock. The supervisor says what happened and when,
and does what `orders` says.
Rule 2: what a slot wants is not kept, it is derived from what there is each time: whatever happened in between, in whatever
order, the next orders are right.
Rule 3: new code replaces all workers or none; until then a slot whose worker ends gets another of the code that serves.
Rule 4: a slot that nobody serves comes before all else; a worker leaves once another has what it had.

Who is who: a *slot* is a place for a worker, with its sockets. A *generation* is a template process, which has imported one
version of the code, with the workers that are copies of it. A worker is *coming* until it is ready, serves until it is told to
stop, and is *leaving* then. Slots beyond the number of workers are out of service; their sockets stay open, and are dealt out
to workers of other slots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kingpost.server.backoff import SPAN, Backoff
from kingpost.server.child import Failure, Line
from kingpost.server.shared import LANES

# So many ends of workers in a minute cost a slot nothing.
_FREE_ENDS = 5
# Nothing serves, and so many in a row ended before they could: then there is no use in going on.
_MOST_STILLBORN = 5
# Nothing serves, and so many ended soon after they could, besides those that cost nothing.
_MOST_ENDS = 10


@dataclass(eq=False)
class Generation:
    """A template process."""

    number: int
    pid: int
    line: Line
    begun: float
    is_ready: bool = False
    """It has imported the code."""
    is_gone: bool = False
    """The process is no more; its workers may be."""
    is_dropped: bool = False
    """Its workers never served together, and never will."""
    failure: Failure | None = None
    was_called_slow: bool = False
    dumped_at: float | None = None


@dataclass(eq=False)
class Worker:
    """One worker process, as the supervisor sees it."""

    key: str
    slot: Slot
    lane: int
    generation: Generation
    line: Line
    sockets: frozenset[int]
    """Slots whose sockets it has."""
    begun: float
    pid: int = 0
    """0 until it is known."""
    ready_at: float | None = None
    told_at: float | None = None
    """When it was told to stop, or began to by itself."""
    has_left: bool = False
    """It accepts no connections any more."""
    is_worn: bool = False
    is_doomed: bool = False
    """It is to be ended by force as soon as its process is known."""
    hears: bool = True
    """Its line has not ended."""
    failure: Failure | None = None
    beat: int = 0
    beat_at: float = 0.0
    """When its loop was first seen to have turned so far."""
    dumped_at: float | None = None

    @property
    def name(self) -> str:
        return f"worker {self.slot.number + 1} ({self.pid or 'not yet started'})"


@dataclass(eq=False)
class Slot:
    """A place for a worker."""

    number: int
    workers: list[Worker] = field(default_factory=list[Worker])
    backoff: Backoff = field(default_factory=lambda: Backoff(_FREE_ENDS))

    @property
    def serving(self) -> list[Worker]:
        """Those that accept connections and are to go on, the last to come last."""
        found = [each for each in self.workers if each.ready_at is not None and _stays(each)]
        found = [each for each in found if not each.generation.is_dropped]
        return sorted(found, key=lambda each: each.ready_at or 0.0)

    def coming(self, generation: Generation) -> Worker | None:
        """The one of this generation that is not ready yet."""
        for each in self.workers:
            if each.generation is generation and each.ready_at is None and _stays(each):
                return each
        return None

    def free_lane(self) -> int | None:
        taken = {worker.lane for worker in self.workers}
        return next((lane for lane in range(LANES) if lane not in taken), None)


def _stays(worker: Worker) -> bool:
    return worker.told_at is None


@dataclass(frozen=True, slots=True)
class Start:
    """A worker is to be started, with the sockets of these slots."""

    slot: Slot
    lane: int
    generation: Generation
    sockets: frozenset[int]


@dataclass(frozen=True, slots=True)
class Stop:
    """A worker is to finish what it has begun and to leave; one that has begun nothing is ended by force."""

    worker: Worker

    @property
    def by_force(self) -> bool:
        return self.worker.ready_at is None


class Roster:
    """All slots and generations of a service.

    Args:
        is_split: Each slot has sockets of its own; otherwise all have the same.
    """

    def __init__(self, *, is_split: bool) -> None:
        self._is_split = is_split
        self.count = 0
        """How many slots are in service."""
        self.slots: list[Slot] = []
        self.current: Generation | None = None
        """What serves."""
        self.next: Generation | None = None
        """What is to replace it."""
        self.is_stopping = False
        self.stillborn = 0
        """How many in a row ended before they could serve."""
        self.ends = 0
        """How many ended, without being told to, since one served for a minute."""
        self._heirs: dict[int, int] = {}
        """Slots out of service, with those whose workers have their sockets."""

    # -- what there is -----------------------------------------------------------------------------------------------

    @property
    def workers(self) -> list[Worker]:
        """All that have not ended."""
        return [worker for slot in self.slots for worker in slot.workers]

    @property
    def serves(self) -> bool:
        """Whether anybody accepts connections."""
        return any(slot.serving for slot in self.slots)

    @property
    def is_settled(self) -> bool:
        """Whether each slot in service has one worker that serves and all others have none."""
        return self.next is None and all(
            len(slot.workers) == len(slot.serving) == (slot.number < self.count)
            for slot in self.slots
        )

    @property
    def is_complete(self) -> bool:
        """Whether the next generation serves everywhere, so that it can replace the current one."""
        return self.next is not None and all(
            any(worker.generation is self.next for worker in slot.serving)
            for slot in self.slots[: self.count]
        )

    @property
    def has_old_code(self) -> bool:
        """Whether somebody still gets an answer of a generation before the current one."""
        return any(
            worker.ready_at is not None
            and not worker.has_left
            and worker.generation not in (self.current, self.next)
            for worker in self.workers
        )

    @property
    def is_hopeless(self) -> bool:
        """Whether nothing serves, and trying on has no use."""
        if self.current is None or self.serves:
            return False
        most = _MOST_ENDS + _FREE_ENDS * self.count
        return self.stillborn >= _MOST_STILLBORN or self.ends >= most

    def overdue(self, now: float, limit: float) -> list[Worker]:
        """Workers that have been coming for more than `limit` seconds; none where that is 0."""
        return [
            worker
            for worker in self.workers
            if limit and worker.ready_at is None and _stays(worker) and now - worker.begun > limit
        ]

    # -- what happens ------------------------------------------------------------------------------------------------

    def scale(self, count: int) -> None:
        """From now on so many slots are in service."""
        while len(self.slots) < count:
            self.slots.append(Slot(len(self.slots)))
        self.count = count
        if self._is_split:
            self._deal_out()

    def _deal_out(self) -> None:
        """Gives the sockets of slots out of service to those that have least; who has some keeps them as far as that is fair."""
        self._heirs = {
            number: heir for number, heir in self._heirs.items() if heir < self.count <= number
        }
        shares = [0] * self.count
        for heir in self._heirs.values():
            shares[heir] += 1
        for number in range(self.count, len(self.slots)):
            if number not in self._heirs:
                heir = shares.index(min(shares))
                self._heirs[number] = heir
                shares[heir] += 1
        while max(shares) > min(shares) + 1:
            richest, poorest = shares.index(max(shares)), shares.index(min(shares))
            number = max(each for each, heir in self._heirs.items() if heir == richest)
            self._heirs[number] = poorest
            shares[richest] -= 1
            shares[poorest] += 1

    def take_over(self) -> Generation | None:
        """The next generation is the current one now; returns the one before."""
        before, self.current, self.next = self.current, self.next, None
        self.stillborn = 0
        for slot in self.slots:
            slot.backoff.clear()
        return before

    def drop(self) -> Generation | None:
        """The next generation is given up; returns it."""
        dropped, self.next = self.next, None
        if dropped is not None:
            dropped.is_dropped = True
        return dropped

    def ready(self, worker: Worker, now: float) -> None:
        """A worker accepts connections."""
        worker.ready_at = worker.beat_at = now
        if worker.generation is self.current:
            self.stillborn = 0

    def left(self, worker: Worker, now: float) -> float:
        """A worker accepts no connections any more; returns the delay that its slot has, where nobody had told it to stop."""
        worker.has_left = True
        if not _stays(worker):
            return 0.0
        delay = self._count_end(worker, now)
        worker.told_at = now
        return delay

    def ended(self, worker: Worker, now: float) -> float:
        """A worker's process is no more; returns the delay that its slot has, where nobody had told it to stop."""
        worker.slot.workers.remove(worker)
        worker.has_left = True
        return self._count_end(worker, now) if _stays(worker) else 0.0

    def _count_end(self, worker: Worker, now: float) -> float:
        if self.is_stopping or worker.generation is self.next:
            # That of the next generation is told by giving it up.
            return 0.0
        if worker.ready_at is None:
            self.stillborn += 1
        else:
            self.ends += 1
        return worker.slot.backoff.ended(now)

    # -- what is to be done ------------------------------------------------------------------------------------------

    def orders(self, now: float) -> list[Start | Stop]:
        """What is to be done now; each of them is done, or is said again."""
        if any(
            each.ready_at is not None and _stays(each) and now > each.ready_at + SPAN
            for each in self.workers
        ):
            self.ends = 0
        return [order for slot in self.slots for order in self._orders_for(slot, now)]

    def _orders_for(self, slot: Slot, now: float) -> Iterator[Start | Stop]:
        for worker in slot.workers:
            if _stays(worker) and self._is_over_for(slot, worker):
                yield Stop(worker)
        if self.is_stopping or slot.number >= self.count:
            return
        wanted, lane = self._wanted(slot, now), slot.free_lane()
        if wanted is None:
            return
        if lane is not None:
            yield Start(slot, lane, wanted, self.sockets_of(slot.number))
        elif wanted is self.current and self.next is not None:
            # What nobody serves comes first; the next generation begins here once more when there is room.
            coming = slot.coming(self.next)
            if coming is not None and not slot.serving:
                yield Stop(coming)

    def _is_over_for(self, slot: Slot, worker: Worker) -> bool:
        if self.is_stopping or worker.generation.is_dropped:
            return True
        if slot.number >= self.count:
            return (
                worker.ready_at is None
                or not self._is_split
                or self._is_served(slot.number, worker)
            )
        if worker.generation is self.next:
            return False
        if worker.ready_at is None:
            return worker.generation is not self.current
        latest = [each for each in slot.serving if each.generation is self.current][-1:]
        return bool(latest) and worker is not latest[0]

    def _wanted(self, slot: Slot, now: float) -> Generation | None:
        """What a worker of this slot is to be made from now, if one is."""
        current, following, serving = self.current, self.next, slot.serving
        if (
            current is not None
            and not current.is_gone
            and slot.coming(current) is None
            and now >= slot.backoff.until
            and (not serving or (following is None and not self._is_fit(serving[-1])))
        ):
            return current
        if (
            following is not None
            and following.is_ready
            and not following.is_gone
            and not any(each.generation is following for each in slot.workers if _stays(each))
        ):
            return following
        return None

    def _is_fit(self, worker: Worker) -> bool:
        """Whether a worker can go on: of the code that serves, not worn, and with the sockets that it should have."""
        number = worker.slot.number
        wanted = self.sockets_of(number)
        return (
            worker.generation is self.current
            and not worker.is_worn
            and wanted <= worker.sockets
            # What it has beyond them is given back once somebody else has it.
            and not any(self._is_served(each, worker) for each in worker.sockets - wanted)
        )

    def sockets_of(self, number: int) -> frozenset[int]:
        """Slots whose sockets a worker of this one should have."""
        return frozenset((number, *(each for each, heir in self._heirs.items() if heir == number)))

    def _is_served(self, number: int, besides: Worker) -> bool:
        """Whether a worker in service, other than this one, has the sockets of a slot."""
        return any(
            number in worker.sockets
            for slot in self.slots[: self.count]
            for worker in slot.serving
            if worker is not besides
        )
