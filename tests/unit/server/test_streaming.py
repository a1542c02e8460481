"""What ends a stream that has no end of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from kingpost.server.streaming import end_lasting_streams, send_lasting_chunks


class Writer:
    def write(self, chunk: bytes | str, /) -> bool:
        return True

    async def drain(self) -> None: ...


async def endless(begun: asyncio.Event) -> AsyncIterator[bytes]:
    begun.set()
    await asyncio.Event().wait()
    yield b"never"


async def ended(*, swallowed: bool = False, cancel: bool = False) -> asyncio.Task[None]:
    """A stream whose server has stopped.

    Args:
        swallowed: whether its handler was cancelled before, and went on.
        cancel: whether somebody cancels it besides.
    """
    begun = asyncio.Event()

    async def send() -> None:
        if swallowed:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        await send_lasting_chunks(Writer(), endless(begun), 60, b":\n\n")

    task = asyncio.create_task(send())
    await begun.wait()
    end_lasting_streams()
    if cancel:
        task.cancel()
    await asyncio.wait([task])
    return task


@pytest.mark.parametrize("swallowed", [False, True])
def test_a_stop_ends_it_as_if_it_had_come_to_its_end(swallowed: bool) -> None:
    task = asyncio.run(ended(swallowed=swallowed))

    assert not task.cancelled()
    assert task.cancelling() == swallowed


def test_a_cancellation_besides_goes_on() -> None:
    assert asyncio.run(ended(cancel=True)).cancelled()
