"""How many processes serve, and when one of them is replaced: what a command line can choose of that."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kingpost.server.shared import MOST_SLOTS

SILENCE = 30.0
"""Seconds for which a loop may be blocked, if nothing is said."""
START_TIMEOUT = 60.0
"""Seconds that an import, or the start-up of a worker, may take, if nothing is said."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Everything that is chosen for the workers of one service."""

    workers: int = 1
    """How many serve at first, 1 to 255."""
    shared_listener: bool = False
    """All workers take connections from one socket, not each from one of its own."""
    max_requests: int = 0
    """A worker is replaced after about so many requests; 0: never."""
    max_age: float = 0.0
    """A worker is replaced after about so many seconds; 0: never."""
    max_memory: int = 0
    """A worker is replaced once it has more than so many bytes of memory; 0: never."""
    silence: float = SILENCE
    """A worker whose loop has not turned for so many seconds is ended, with its stack in the log, and replaced; 0: never."""
    start_timeout: float = START_TIMEOUT
    """An import, or the start-up of a worker, that takes longer than so many seconds is ended, with its stack in the log; 0: never."""
    control: str | None = None
    """Path of the Unix socket for `kingpost reload`."""

    @property
    def slots(self) -> int:
        """How many workers there can be, for signals may ask for more."""
        return min(MOST_SLOTS, max(8, 2 * self.workers))


def cpu_count() -> int:
    """Processors that this process may use, at least 1: of the machine, of its affinity, of its container."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return max(1, min(count, _quota() or count))


def _quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int | None:
    """What the control group may use, in whole processors, rounded up; None where that is not bounded."""
    try:
        most, period = file.read_text(encoding="ascii").split()
        return None if most == "max" else -(-int(most) // int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return None
