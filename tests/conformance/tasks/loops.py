"""The loops that handlers are tried on."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import pytest


def new_loop(name: str) -> asyncio.AbstractEventLoop:
    """A loop by its name: "asyncio", "debug" (the same, checking itself) or "uvloop"."""
    if name == "uvloop":
        if sys.platform == "win32":
            pytest.skip("uvloop does not run on Windows")
        import uvloop

        return cast("asyncio.AbstractEventLoop", uvloop.new_event_loop())
    loop = asyncio.new_event_loop()
    loop.set_debug(name == "debug")
    return loop
