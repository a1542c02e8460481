"""Loops in loops, as nest_asyncio makes them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable
from typing import Any


class NestingLoop(asyncio.SelectorEventLoop):
    """A loop whose turns may be run inside one of its own callbacks."""

    _ready: Any
    _scheduled: Any
    _selector: Any

    def _run_once(self) -> None:
        while self._scheduled and self._scheduled[0]._cancelled:
            heapq.heappop(self._scheduled)
        wait = None
        if self._ready:
            wait = 0.0
        elif self._scheduled:
            wait = max(0.0, self._scheduled[0]._when - self.time())
        events = self._selector.select(wait)
        self._process_events(events)  # type: ignore[attr-defined]  # as asyncio's own loop does
        while self._scheduled and self._scheduled[0]._when <= self.time() + 0.0001:
            self._ready.append(heapq.heappop(self._scheduled))
        for _ in range(len(self._ready)):
            # A turn inside this one may have taken the rest.
            if not self._ready:
                break
            handle = self._ready.popleft()
            if not handle._cancelled:
                handle._run()


def run_nested(awaitable: Awaitable[Any]) -> Any:
    """Run turns of the running loop inside one of its tasks until this is done."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, NestingLoop)
    task = asyncio.current_task()
    assert task is not None
    future = asyncio.ensure_future(awaitable)
    asyncio.tasks._leave_task(loop, task)
    try:
        for _ in range(10_000):
            if future.done():
                return future.result()
            loop._run_once()
        return "HANG"
    finally:
        asyncio.tasks._enter_task(loop, task)
