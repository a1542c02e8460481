"""A handler's task behaves as a plain Task does, on every loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.waiting import PATIENCE

from .attacks import ATTACKS
from .checks import CHECKS
from .loops import new_loop
from .rig import Kind, Rig

ALL = CHECKS | ATTACKS
LOOPS = ["asyncio", "debug", "uvloop"]


def run_on(loop: str, main: Callable[[], Coroutine[Any, Any, object]]) -> object:
    with asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner:
        return runner.run(main())


def outcome(name: str, kind: Kind, loop: str) -> object:
    async def main() -> object:
        errors: list[str] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: errors.append(
                f"{context.get('message')} {context.get('exception')!r}"
            )
        )
        rig = Rig(kind)
        try:
            result = await asyncio.wait_for(ALL[name](rig), 2 * PATIENCE)
        finally:
            rig.close()
        await asyncio.sleep(0.01)
        return result, errors

    return run_on(loop, main)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", ALL)
def test_a_carried_handler_is_answered_as_a_plain_task_is(
    name: str, loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)

    assert outcome(name, "carrier", loop) == outcome(name, "plain", loop)
