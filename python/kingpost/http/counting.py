"""Where this process counts together with others: filled by the server that makes them, asked by the memory stores of middleware.

And what is kept in memory for all workers of our own server, and for nobody else: filled by what does so, asked by the hosts of others.
"""

from __future__ import annotations

from typing import Protocol


class Counting(Protocol):
    """Counts windows for all processes of one service."""

    def hit(self, key: str, window: float, /) -> tuple[int, float]:
        """Counts one more for `key`; how often in the window of so many seconds that runs, and how many seconds that goes on."""
        ...


_together: list[Counting] = []
_generation = [""]
_kept: set[str] = set()


def begin_generation(name: str) -> None:
    """Says which of several versions of the code, that may run at once and one after the other, this process and those that it forks have."""
    _generation[:] = [name]


def generation() -> str:
    """The version of the code that this process has; empty where there is one."""
    return _generation[0]


def count_together(counting: Counting | None) -> None:
    """From now on this process counts with others; None: for itself alone, as at first."""
    _together[:] = [] if counting is None else [counting]


def together() -> Counting | None:
    """Where this process counts with others; None where it is alone."""
    return _together[0] if _together else None


def keep_here(what: str) -> None:
    """Notes that something, as users call it, is kept in memory: the workers of `kingpost run` share it, and no other processes do."""
    _kept.add(what)


def kept_here() -> list[str]:
    """What this process keeps so, by the alphabet."""
    return sorted(_kept)
