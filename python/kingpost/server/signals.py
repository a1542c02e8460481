"""SIGINT and SIGTERM: the first asks a server to stop, the second to stop now.

Handlers are Python's own, not the loop's: they run between two bytecodes of whatever the main thread does, so a handler
that blocks the loop, or a debugger's prompt, can be left by pressing Ctrl-C again.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType

STOP = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)


@contextmanager
def handled(
    on_signal: Callable[[int], None], numbers: Sequence[signal.Signals] = STOP
) -> Generator[None]:
    """Calls `on_signal(number)` for each of these signals while the block runs; does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _: FrameType | None) -> None:
        on_signal(number)

    before = [(number, signal.signal(number, handle)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            # None stands for a handler that was not set from Python; it cannot be put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
