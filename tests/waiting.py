"""Waiting for what happens, not for the clock."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

PATIENCE = 60.0
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
    is_late = False
    while not condition():
        assert not is_late, f"it did not come to be in {seconds} s; {shows()}"
        time.sleep(pause)
        # Where it was this process that was held up, one more look shows it.
        is_late = time.monotonic() > deadline


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


async def pass_time(seconds: float) -> None:
    """Lets so many seconds pass at once on the running loop, which is one of asyncio's own, and all be called that is due within them."""
    loop = asyncio.get_running_loop()
    now = loop.time
    loop.time = lambda: now() + seconds  # type: ignore[method-assign]  # this loop goes ahead of the clock from here on
    # In its next turn a loop calls what is due behind what was ready.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
