"""The coroutines that the engine runs in a request's own task: bodies in chunks, and plain tasks.

They are written in Python because what they wait for is the user's; the engine only writes and drains.
"""

from __future__ import annotations

import asyncio
import contextlib
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any, Protocol

__all__ = ["discard", "drive", "end_lasting_streams", "send_async_chunks", "send_chunks"]


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
    idle: tuple[float, bytes] | None = getattr(chunks, "idle", None)
    if idle is not None:
        await send_lasting_chunks(writer, chunks, *idle)
        return
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


async def send_lasting_chunks(
    writer: Writer, chunks: AsyncIterator[bytes | str], seconds: float, sign: bytes
) -> None:
    """As `send_async_chunks`, of what has no end of its own: a sign of life is sent where nothing comes, and a stop of the server ends it.

    Args:
        writer: what it is sent to.
        chunks: what is sent.
        seconds: without a chunk, after which a sign of life is sent.
        sign: what is sent then; it fits between any two chunks.
    """
    lasting = LastingStream(writer, seconds, sign)
    _lasting.add(lasting)
    try:
        lasting.wait()
        async for chunk in chunks:
            lasting.rest()
            if not writer.write(chunk):
                await writer.drain()
            lasting.wait()
    except ConnectionResetError:
        pass
    except asyncio.CancelledError:
        if not lasting.is_ended():
            raise
    finally:
        lasting.rest()
        _lasting.discard(lasting)
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


class LastingStream:
    """A stream that is sent now, as its timer and whoever stops the server see it."""

    def __init__(self, writer: Writer, seconds: float, sign: bytes) -> None:
        self._writer = writer
        self._seconds = seconds
        self._sign = sign
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._cancelled = 0 if self._task is None else self._task.cancelling()
        self._timer: asyncio.TimerHandle | None = None
        self._is_told = False

    def wait(self) -> None:
        """The next chunk is waited for."""
        self._timer = self._loop.call_later(self._seconds, self._say)

    def rest(self) -> None:
        """It has come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _say(self) -> None:
        # The task is told in its own way when the client has left.
        with contextlib.suppress(ConnectionResetError):
            # Whether there is room does not matter: it is some bytes, and who never reads is cut off by the server's limit.
            self._writer.write(self._sign)
            self.wait()

    def end(self) -> None:
        """End it as if it had come to its end; called on its loop."""
        if not self._is_told and self._task is not None:
            self._is_told = True
            self._task.cancel()

    def is_ended(self) -> bool:
        """Whether a cancellation was `end`, and nobody else's besides; then it is taken back."""
        if not self._is_told or self._task is None:
            return False
        return self._task.uncancel() <= self._cancelled

    def belongs_to(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether it is sent on an event loop."""
        return self._loop is loop


_lasting: set[LastingStream] = set()


def end_lasting_streams() -> None:
    """End the streams of the running loop that have no end of their own: the server stops, and browsers connect anew, to its successor."""
    loop = asyncio.get_running_loop()
    for lasting in tuple(_lasting):
        if lasting.belongs_to(loop):
            lasting.end()


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
