"""How long whatever keeps ending waits before it is tried again."""

from __future__ import annotations

from collections import deque

SPAN = 60.0
"""Seconds within which ends are counted together."""
_FIRST = 1.0
_MOST = 30.0


class Backoff:
    """The first few ends cost nothing; each one behind them doubles the delay, until all goes well for a whole span.

    Args:
        free: How many ends in one span cost nothing.
    """

    def __init__(self, free: int) -> None:
        self._free = free
        self._ends: deque[float] = deque()
        self._delay = 0.0
        self.until = 0.0
        """When the next may begin."""

    @property
    def ends(self) -> int:
        """How many there were in the last span."""
        return len(self._ends)

    def ended(self, now: float) -> float:
        """One has ended once more; returns the seconds for which the next has to wait."""
        if now > self.until + SPAN:
            self._delay = 0.0
        self._ends.append(now)
        while self._ends[0] < now - SPAN:
            self._ends.popleft()
        if not self._delay and len(self._ends) <= self._free:
            return 0.0
        self._delay = min(_MOST, self._delay * 2 or _FIRST)
        self.until = now + self._delay
        return self._delay

    def clear(self) -> None:
        """What comes now has nothing to do with what ended."""
        self._ends.clear()
        self._delay = self.until = 0.0
