"""Bodies in pieces whose end somebody waits for: providers to be finished, work to be done afterwards.

Rule 1: the end is told exactly once: when the last piece was taken, when making one failed, or when the client has left.
Rule 2: it is told of a stream that nobody began to read, too, which a generator's `finally` would not do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final, Self, TypeVar

from kingpost.http.response import Chunks, Response

T = TypeVar("T")

OVER: Final = object()
"""What stands for a piece where there is none left."""


class Watched:
    """An iterator whose end is told.

    Args:
        chunks: what is passed on.
        end: told of the exception that ended it, GeneratorExit where the client has left; None: it came to its end. What it raises leaves
            the iterator.
    """

    def __init__(
        self, chunks: Iterator[bytes | str], end: Callable[[BaseException | None], None]
    ) -> None:
        self._chunks = chunks
        self._end: Callable[[BaseException | None], None] | None = end

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes | str:
        try:
            chunk: Any = next(self._chunks, OVER)
        except BaseException as error:
            self._tell(error)
            raise
        if chunk is OVER:
            self._tell(None)
            raise StopIteration
        return chunk  # type: ignore[no-any-return]  # what is not OVER is a chunk

    def close(self) -> None:
        """Ends it before its end."""
        if self._end is None:
            return
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            self._tell(GeneratorExit())

    def _tell(self, error: BaseException | None) -> None:
        end, self._end = self._end, None
        if end is not None:
            end(error)


class WatchedAsync:
    """As `Watched`, read on the event loop; what it passes on may be a plain iterator, which is then read in place.

    Attributes:
        idle: what is sent while nothing comes, as what it passes on has said.
    """

    def __init__(
        self, chunks: Chunks, end: Callable[[BaseException | None], Awaitable[None]]
    ) -> None:
        self._chunks = chunks
        self._end: Callable[[BaseException | None], Awaitable[None]] | None = end
        self.idle: tuple[float, bytes] | None = getattr(chunks, "idle", None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | str:
        try:
            chunk: Any = await piece(self._chunks)
        except BaseException as error:
            # A cancellation leaves it in the middle; it may use what is given back next.
            try:
                await close_chunks(self._chunks)
            finally:
                await self._tell(error)
            raise
        if chunk is OVER:
            await self._tell(None)
            raise StopAsyncIteration
        return chunk  # type: ignore[no-any-return]  # what is not OVER is a chunk

    async def aclose(self) -> None:
        """Ends it before its end. Behind that nothing is waited for: the last byte is on its way, and whoever follows it counts the turns."""
        if self._end is None:
            return
        try:
            await close_chunks(self._chunks)
        finally:
            await self._tell(GeneratorExit())

    async def _tell(self, error: BaseException | None) -> None:
        end, self._end = self._end, None
        if end is not None:
            await end(error)


class OnThreads:
    """A `def`'s iterator, read on the event loop: each step of it is made on a thread.

    Args:
        chunks: what is passed on.
        call: calls a function on a thread.
    """

    def __init__(
        self, chunks: Iterator[bytes | str], call: Callable[[Callable[[], Any]], Awaitable[Any]]
    ) -> None:
        self._chunks = chunks
        self._call = call
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes | str:
        chunk: Any = await self._call(partial(next, self._chunks, OVER))
        if chunk is OVER:
            self._is_over = True
            raise StopAsyncIteration
        return chunk  # type: ignore[no-any-return]  # what is not OVER is a chunk

    async def aclose(self) -> None:
        """Ends it before its end."""
        if self._is_over:
            return
        close = getattr(self._chunks, "close", None)
        if close is not None:
            await self._call(close)


def read_on_threads(
    response: Response[T], call: Callable[[Callable[[], Any]], Awaitable[Any]]
) -> Response[T]:
    """The response of a `def` handler, for whoever reads it on the event loop."""
    chunks = response.chunks
    if chunks is not None and not isinstance(chunks, AsyncIterator):
        response.chunks = OnThreads(chunks, call)
    return response


async def piece(chunks: Chunks) -> object:
    if isinstance(chunks, AsyncIterator):
        return await anext(chunks, OVER)
    return next(chunks, OVER)


async def close_chunks(chunks: Chunks) -> None:
    if isinstance(chunks, AsyncIterator):
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
        return
    close = getattr(chunks, "close", None)
    if close is not None:
        close()
