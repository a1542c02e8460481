"""A request's coroutines in the task of whoever has called us."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any, Protocol

from kingpost.server.streaming import Exchange


class Host(Protocol):
    """Whose task it is."""

    def on_wait(self) -> None:
        """The handler waits for the first time."""
        ...

    def on_cancel(self) -> None:
        """The task was cancelled, and the handler has ended with it: nobody waits for an answer."""
        ...


async def run_here(
    exchange: Exchange, coroutine: Coroutine[Any, Any, object], host: Host
) -> asyncio.CancelledError | None:
    """Runs a handler, and what follows it, to the end of its answer; the cancellation that it ended with, if it did."""
    following: Coroutine[Any, Any, object] | None = coroutine
    cancelled: asyncio.CancelledError | None = None
    while following is not None:
        try:
            value = await _noticed(following, host)
        except BaseException as error:  # noqa: BLE001 - the exchange raises again what ends the process
            if isinstance(error, asyncio.CancelledError):
                cancelled = error
                host.on_cancel()
            following = exchange.raised(error)
        else:
            following = exchange.returned(value)
    return cancelled


@types.coroutine
def _noticed(coroutine: Coroutine[Any, Any, object], host: Host) -> Generator[Any, Any, object]:
    """As the coroutine alone, but the host is told when it waits."""
    try:
        waited_for = coroutine.send(None)
        host.on_wait()
        while True:
            try:
                sent = yield waited_for
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's to deal with
                waited_for = coroutine.throw(error)
            else:
                waited_for = coroutine.send(sent)
    except StopIteration as end:
        return end.value
