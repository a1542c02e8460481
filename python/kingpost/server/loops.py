"""Which event loop a worker runs on."""

from __future__ import annotations

import asyncio
from typing import Literal

LoopKind = Literal["auto", "uvloop", "asyncio"]


class LoopMissing(Exception):
    """The event loop that was asked for is not installed."""


def new_loop(kind: LoopKind = "auto") -> asyncio.AbstractEventLoop:
    """Makes an event loop: uvloop where it is installed, else the standard one; `kind` insists on one of them.

    Raises:
        LoopMissing: uvloop was asked for by name and cannot be imported.
    """
    if kind == "asyncio":
        return _standard_loop()
    try:
        import uvloop
    except ImportError:
        if kind == "uvloop":
            raise LoopMissing(
                "uvloop is not installed here: pip install uvloop, or use --loop asyncio"
            ) from None
        return _standard_loop()
    return uvloop.new_event_loop()


def _standard_loop() -> asyncio.AbstractEventLoop:
    # Named instead of asyncio.new_event_loop(): a policy that the application sets is the application's, and on Windows
    # the default one has no add_reader.
    return asyncio.SelectorEventLoop()
