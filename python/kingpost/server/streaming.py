"""The coroutines that the engine runs in a request's own task: bodies in chunks, and plain tasks.

They are written in Python because what they wait for is the user's; the engine only writes and drains.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any, Protocol

__all__ = ["discard", "drive", "send_async_chunks", "send_chunks"]


class Writer(Protocol):
    """The sending side of one answer."""

    def write(self, chunk: bytes | str, /) -> bool:
        """Send a chunk. False: await `drain()` first. Raises ConnectionResetError when the client has left."""
        ...

    def drain(self) -> Awaitable[None]:
        """Wait for room."""
        ...


class Exchange(Protocol):
    """Where a coroutine's end is reported; each call gives the next coroutine to run, or None."""

    def returned(self, value: object, /) -> Coroutine[Any, Any, object] | None: ...
    def raised(self, error: BaseException, /) -> Coroutine[Any, Any, object] | None: ...


async def send_async_chunks(writer: Writer, chunks: AsyncIterator[bytes | str]) -> None:
    """Send what an asynchronous iterator gives, waiting while the client reads slowly; then close it."""
    try:
        async for chunk in chunks:
            if not writer.write(chunk):
                await writer.drain()
    except ConnectionResetError:
        pass  # The client left: the generator is closed below, which is how it learns.
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def send_chunks(writer: Writer, chunks: Iterator[bytes | str]) -> None:
    """Send what an iterator gives on the loop, waiting while the client reads slowly; then close it."""
    try:
        for chunk in chunks:
            if not writer.write(chunk):
                await writer.drain()
    except ConnectionResetError:
        pass
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


async def discard(close: Callable[[], Awaitable[object]]) -> None:
    """Close an asynchronous body that nobody will read."""
    await close()


def drive(exchange: Exchange, coroutine: Coroutine[Any, Any, object]) -> Coroutine[Any, Any, None]:
    """Run one request in a Task of its own, as a carrier would: the coroutine for that Task."""
    driver = _drive(exchange, coroutine)
    # To its first wait: a Task that is cancelled before its first step must still report its end.
    driver.send(None)
    return driver


async def _drive(exchange: Exchange, coroutine: Coroutine[Any, Any, object]) -> None:
    following: Coroutine[Any, Any, object] | None = coroutine
    cancelled: asyncio.CancelledError | None = None
    try:
        await _first_step()
    except asyncio.CancelledError as error:
        coroutine.close()
        cancelled = error
        following = exchange.raised(error)
    while following is not None:
        try:
            value = await following
        except BaseException as error:  # noqa: BLE001 - the exchange raises again what ends the process
            if isinstance(error, asyncio.CancelledError):
                cancelled = error
            following = exchange.raised(error)
        else:
            # A Task that is told to cancel itself and then returns is a cancelled one, also where it is wrapped as here.
            if getattr(asyncio.current_task(), "_must_cancel", False):
                cancelled = asyncio.CancelledError()
                following = exchange.raised(cancelled)
            else:
                following = exchange.returned(value)
    if cancelled is not None:
        raise cancelled


@types.coroutine
def _first_step() -> Generator[None]:
    yield
