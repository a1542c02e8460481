"""`Readings`: what is measured of a worker, added to what all workers of the service share.

Rule 1: a worker adds what is new once a second, and at once where it is asked; so a worker that is killed takes a second's numbers with it.
Rule 2: what goes up and down is set under the worker's lane, and is 0 when it is no more; what only grows is added, and stays.
Rule 3: nothing of this runs where nobody asked for it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from kingpost import _native
from kingpost.server.shared import Shared

PREFIX: Final = "measured"
EVERY: Final = 0.25
"""Seconds between two looks at how late the loop is."""
LOOKS: Final = 4
"""Looks between two times that numbers are added."""
LAG_BOUNDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds."""
DURATION_BOUNDS: Final = tuple(bound / 1000 for bound in _native.DURATION_BOUNDS)
"""Seconds."""
GAUGES: Final = {
    "connections": "connections",
    "in_flight": "in_flight",
    "threads": "threads",
    "threads_idle": "threads_idle",
    "queue": "jobs_waiting",
}
"""Names of what goes up and down, and what the engine calls it."""


class Route(NamedTuple):
    """One line of the histogram of requests.

    Attributes:
        method: `_OTHER` for one that is not known.
        status: 499 where the client has left.
        path: the route's pattern; empty where no route answered.
    """

    method: str
    status: int
    path: str


class Histogram(NamedTuple):
    """Durations.

    Attributes:
        counts: for each bound how many were at most that long, and last how many there were.
        seconds: of all together.
    """

    counts: Sequence[int]
    seconds: float


class Readings:
    """Measures one worker.

    Args:
        server: the engine.
        loop: that it runs on.
        labels: the patterns of the routes, by the numbers of the plans.
        shared: what the workers share.
    """

    def __init__(
        self,
        server: _native.Server,
        loop: asyncio.AbstractEventLoop,
        labels: Sequence[str],
        shared: Shared,
    ) -> None:
        self._server = server
        self._loop = loop
        self._labels = labels
        self._shared = shared
        self._counters = shared.counters
        self._timer: asyncio.TimerHandle | None = None
        self._looks = 0
        self._accepted = 0
        self._cpu = 0.0
        self._lags = [0] * (len(LAG_BOUNDS) + 1)
        self._lag = 0.0

    def start(self) -> None:
        """Begin to measure, on the loop."""
        self._add("started", 1)
        self._set("workers", 1)
        self._again()

    def stop(self) -> None:
        """Add what is left."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        self.flush()
        self._counters.forget(self._shared.lane)

    def _again(self) -> None:
        self._timer = self._loop.call_later(EVERY, self._look, self._loop.time() + EVERY)

    def _look(self, due: float) -> None:
        late = max(0.0, self._loop.time() - due)
        self._lags[bisect_left(LAG_BOUNDS, late)] += 1
        self._lag += late
        self._looks += 1
        if self._looks % LOOKS == 0:
            self.flush()
        self._again()

    def flush(self) -> None:
        """Add what is new since the last time; called on the loop."""
        measured = self._server.measured()
        if measured is not None:
            tallies, refused, sent, received = measured
            for plan, method, status, micros, counts in tallies:
                path = self._labels[plan] if plan < len(self._labels) else ""
                self._add(f"seconds|{method}|{status}|{path}", micros)
                for place, count in enumerate(counts):
                    self._add(f"request|{method}|{status}|{place}|{path}", count)
            for code, count in refused:
                self._add(f"refused|{code}", count)
            self._add("sent", sent)
            self._add("received", received)
        stats = self._server.stats()
        self._add("accepted", max(0, stats["accepted"] - self._accepted))
        self._accepted = stats["accepted"]
        for name, native in GAUGES.items():
            self._set(name, stats[native])
        cpu = time.process_time()
        self._add("cpu", round((cpu - self._cpu) * 1e6))
        self._cpu = cpu
        self._set("memory", memory())
        self._set("files", open_files())
        for place, count in enumerate(self._lags):
            self._add(f"lag|{place}", count)
            self._lags[place] = 0
        self._add("lag_seconds", round(self._lag * 1e6))
        self._lag = 0.0

    def read(self) -> Read:
        """What all workers have measured until now."""
        self.flush()
        return Read(self._counters.read())

    def _add(self, name: str, amount: int) -> None:
        if amount:
            self._counters.add(f"{PREFIX}|{name}", amount)

    def _set(self, name: str, amount: int) -> None:
        self._counters.set(f"{PREFIX}|{name}", amount, owner=self._shared.lane)


class Read:
    """Numbers of all workers together."""

    def __init__(self, counters: Mapping[str, int]) -> None:
        self.others: dict[str, int] = {}
        """What others have counted in the same place."""
        self._numbers: dict[str, int] = {}
        for name, value in counters.items():
            kind, _, rest = name.partition("|")
            if kind == PREFIX:
                self._numbers[rest] = value
            else:
                self.others[name] = value

    def number(self, name: str) -> int:
        """One number; 0 where nothing was counted."""
        return self._numbers.get(name, 0)

    def below(self, name: str) -> Iterator[tuple[str, int]]:
        """The numbers whose names begin so, without that."""
        start = f"{name}|"
        for key, value in self._numbers.items():
            if key.startswith(start):
                yield key[len(start) :], value

    def requests(self) -> Mapping[Route, Histogram]:
        """How long requests took, by route."""
        found: dict[Route, list[int]] = {}
        for key, value in self.below("request"):
            method, status, place, path = key.split("|", 3)
            counts = found.setdefault(
                Route(method, int(status), path), [0] * (len(DURATION_BOUNDS) + 1)
            )
            counts[int(place)] = value
        return {
            route: Histogram(
                list(accumulate(counts)),
                self.number(f"seconds|{route.method}|{route.status}|{route.path}") / 1e6,
            )
            for route, counts in sorted(found.items())
        }

    def lag(self) -> Histogram:
        """How late the loops were."""
        counts = [self.number(f"lag|{place}") for place in range(len(LAG_BOUNDS) + 1)]
        return Histogram(list(accumulate(counts)), self.number("lag_seconds") / 1e6)


def readings_of(
    dispatch: object, server: _native.Server, loop: asyncio.AbstractEventLoop, shared: Shared
) -> Readings | None:
    """What measures a server, where its application asks for that."""
    application: Any = dispatch
    if not getattr(application, "measures", False):
        return None
    readings = Readings(server, loop, application.labels, shared)
    application.readings = readings
    return readings


def memory() -> int:
    """Bytes of memory that the process has; where the system does not say, the most that it had."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - once a second, and a Path is slower
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def open_files() -> int:
    """How many files the process has open; 0 where the system does not say."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder))  # noqa: PTH208 - names are enough
        except OSError:
            continue
    return 0
