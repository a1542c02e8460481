"""Waiting for what happens, not for the clock."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

PATIENCE = 15.0
"""Seconds that anything may take on a machine that is busy with other things."""


def until(
    condition: Callable[[], object],
    seconds: float = PATIENCE,
    *,
    pause: float = 0.01,
    shows: Callable[[], object] = lambda: "",
) -> None:
    """Waits until something is so.

    Args:
        condition: looked at again and again.
        seconds: after so many it is an AssertionError.
        pause: seconds between two looks.
        shows: what to say then besides: the output of a program, say.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come to be in {seconds} s; {shows()}"
        time.sleep(pause)


async def until_async(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """As `until`, on a loop that goes on meanwhile."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


def is_refused(connect: Callable[[], socket.socket]) -> bool:
    """Whether a connection is refused; one that is reset was in the queue of a socket that is closing, and the next is refused."""
    try:
        connect().close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    return False
