"""`Log`: the last events of a feed, in the order of their numbers.

Rule 1: an event is shown when all before it are, so that who has seen number 7 has seen 6. One that is missing, since its sender died
on the way, is waited for until `give_up` is called.
Rule 2: the log has a largest number of events and of bytes. What falls out is lost for those who have not seen it, and they are told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple


class Entry(NamedTuple):
    """One event.

    Attributes:
        number: its place in the feed, from 1.
        event: the name that scripts listen for; empty for none.
        data: JSON.
    """

    number: int
    event: str
    data: bytes


class Log:
    """What was shown last.

    Args:
        keep: events, at most.
        most_bytes: of their data, at most.
    """

    def __init__(self, keep: int, most_bytes: int) -> None:
        self._keep = keep
        self._most_bytes = most_bytes
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        # Those that came before an earlier one: by their numbers; None for a number that stands for no event.
        self._early: dict[int, Entry | None] = {}
        self.last = 0
        """The number of the last event that is shown."""
        self.floor = 0
        """The number behind which nothing is missing."""

    def begin(self, number: int) -> None:
        """Know nothing of what was before `number`, which stands for no event."""
        self.last = self.floor = number
        self._early = {key: each for key, each in self._early.items() if key > number}
        self._show()

    def take(self, number: int, entry: Entry | None) -> bool:
        """Take an event, or None for a number that stands for none; whether something new is shown."""
        if number <= self.last:
            return False
        self._early[number] = entry
        if len(self._early) > self._keep:
            return self.give_up()
        return self._show()

    def take_earlier(self, entries: Sequence[Entry], floor: int, last: int) -> bool:
        """Take what another log knows of the time before this one began: it is complete behind `floor`, up to `last`.

        Whether that joins what is here; what does not is left aside, for between the two something is missing.
        """
        if last < self.floor:
            return False
        known = {
            each.number: each for each in (*entries, *self._entries) if each.number <= self.last
        }
        self._entries = deque(known[number] for number in sorted(known))
        self._bytes = sum(len(each.data) for each in self._entries)
        self.floor = min(self.floor, floor)
        self._trim()
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether events are here that wait for an earlier one."""
        return bool(self._early)

    def give_up(self) -> bool:
        """Wait no longer for what is missing; whether something new is shown."""
        if not self._early:
            return False
        self.last = min(self._early) - 1
        return self._show()

    def _show(self) -> bool:
        before = self.last
        while (number := self.last + 1) in self._early:
            entry = self._early.pop(number)
            self.last = number
            if entry is not None:
                self._entries.append(entry)
                self._bytes += len(entry.data)
        self._trim()
        return self.last > before

    def _trim(self) -> None:
        while len(self._entries) > self._keep or self._bytes > self._most_bytes:
            fallen = self._entries.popleft()
            self._bytes -= len(fallen.data)
            self.floor = max(self.floor, fallen.number)

    def after(self, number: int) -> tuple[Sequence[Entry], bool]:
        """The events behind a number, and whether some before them are lost."""
        found: list[Entry] = []
        for each in reversed(self._entries):
            if each.number <= number:
                break
            found.append(each)
        return found[::-1], number < self.floor

    def newest(self, count: int) -> int:
        """The number behind which stand the last `count` events."""
        if count <= 0 or not self._entries:
            return self.last
        return self._entries[-min(count, len(self._entries))].number - 1

    def tail(self, most_bytes: int) -> tuple[Sequence[Entry], int]:
        """The last events with so many bytes of data, and the number behind which they are complete."""
        found: list[Entry] = []
        size = 0
        for each in reversed(self._entries):
            size += len(each.data)
            if size > most_bytes:
                return found[::-1], each.number
            found.append(each)
        return found[::-1], self.floor
