"""An event loop whose time passes only when there is nothing left to do."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class Selector(selectors.DefaultSelector):
    """Does not wait: adds the time that it would have waited to the loop's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        events = super().select(0)
        if not events and timeout:
            self.now += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers fire in their order, at once; a program that waits for nothing but time takes none."""

    def __init__(self) -> None:
        self.virtual = Selector()
        super().__init__(self.virtual)

    def time(self) -> float:
        return self.virtual.now
