"""SIGINT and SIGTERM: the first asks a server to stop, the second to stop now. Others must not end it in the middle of a request.

Handlers are Python's own, not the loop's: they run between two bytecodes of whatever the main thread does, so a handler
that blocks the loop, or a debugger's prompt, can be left by pressing Ctrl-C again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType


def named(*names: str) -> tuple[signal.Signals, ...]:
    """Those of these signals that this system has."""
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


STOP = named("SIGINT", "SIGTERM", "SIGBREAK")
HANG_UP = named("SIGHUP")
USERS = named("SIGUSR1", "SIGUSR2")
"""What other servers open their log files anew on."""


def of_no_use(number: int) -> str:
    """What is logged of one of `USERS`."""
    return f"{signal.Signals(number).name} does nothing here: the log goes to standard error, and whoever keeps that in files turns them over"


def unclaimed(numbers: Sequence[signal.Signals]) -> list[signal.Signals]:
    """Those that would end this process: nobody handles them, and nobody has them ignored, as nohup has."""
    return [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]


def has_terminal() -> bool:
    """Whether somebody could press Ctrl-C."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


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
