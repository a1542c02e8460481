"""Streams that are looked at, or changed, on their way out.

Rule: whoever stands in the way of a stream hands on its end: closed once, whether anything of it was read or not. A generator whose first
chunk nobody asked for would not be told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any, Generic, Protocol, Self, TypeVar

from kingpost._native import FileBody
from kingpost.http.response import Response

Inner = TypeVar("Inner")

BLOCKING = 64 * 1024
"""Bytes whose handling takes a millisecond: more are handled on a thread, and the event loop goes on."""


class Passage(Protocol):
    """What happens to the chunks of a stream."""

    def add(self, data: bytes, /) -> bytes:
        """What is sent in place of a chunk."""
        ...

    def end(self) -> bytes:
        """What is sent after the last one; b"" for nothing."""
        ...

    def over(self, *, whole: bool) -> None:
        """Told once: the stream has ended, or was cut off."""
        ...


class Counter:
    """A passage that changes nothing, and counts.

    Attributes:
        size: bytes that have passed.
    """

    def __init__(self) -> None:
        self.size = 0

    def add(self, data: bytes, /) -> bytes:
        self.size += len(data)
        return data

    def end(self) -> bytes:
        return b""


def send_through(response: Response[Any], passage: Passage, *, keeps_length: bool = False) -> bool:
    """Put `passage` in the way of a response's stream; False where it is none, or a file.

    Args:
        response: whose stream it is.
        passage: what happens to it.
        keeps_length: as many bytes leave the passage as come to it.
    """
    chunks = response.chunks
    if chunks is None or isinstance(chunks, FileBody):
        return False
    if isinstance(chunks, AsyncIterator):
        stream = AsyncStream(chunks, passage)
        if keeps_length:
            stream.length = getattr(chunks, "length", None)
        response.chunks = stream
    else:
        response.chunks = Stream(chunks, passage)
    return True


class Passing(Generic[Inner]):
    """A stream in whose way a passage stands. Whoever reads it says when it is over, and the passage is told once."""

    def __init__(self, inner: Inner, passage: Passage) -> None:
        self._inner = inner
        self._passage = passage
        self._is_over = False

    def _end(self, *, whole: bool) -> None:
        if not self._is_over:
            self._is_over = True
            self._passage.over(whole=whole)


class Stream(Passing[Iterator[bytes | str]]):
    """The chunks of a `def`."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._is_over:
            raise StopIteration
        try:
            for chunk in self._inner:
                made = self._passage.add(as_bytes(chunk))
                if made:
                    return made
            made = self._passage.end()
        except BaseException:
            self._end(whole=False)
            raise
        self._end(whole=True)
        if made:
            return made
        raise StopIteration

    def close(self) -> None:
        """Closes what lies inside; harmless the second time."""
        close = getattr(self._inner, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._end(whole=False)


class AsyncStream(Passing[AsyncIterator[bytes | str]]):
    """The chunks of an `async def`.

    Attributes:
        idle: what is sent while nothing comes, as what it passes on has said.
        length: bytes of all of it; None where nobody has counted.
    """

    def __init__(self, inner: AsyncIterator[bytes | str], passage: Passage) -> None:
        super().__init__(inner, passage)
        self.idle: tuple[float, bytes] | None = getattr(inner, "idle", None)
        self.length: int | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_over:
            raise StopAsyncIteration
        try:
            async for chunk in self._inner:
                data = as_bytes(chunk)
                if len(data) > BLOCKING:
                    made = await asyncio.to_thread(partial(self._passage.add, data))
                else:
                    made = self._passage.add(data)
                if made:
                    return made
            made = self._passage.end()
        except BaseException:
            self._end(whole=False)
            raise
        self._end(whole=True)
        if made:
            return made
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Closes what lies inside; harmless the second time."""
        close = getattr(self._inner, "aclose", None)
        try:
            if close is not None:
                await close()
        finally:
            self._end(whole=False)


class Pieces:
    """A body that is whole, or lies in a file, as a stream.

    Attributes:
        length: bytes of all of it.
    """

    def __init__(self, body: bytes | FileBody) -> None:
        self._pieces: Iterator[bytes]
        if isinstance(body, FileBody):
            self.length = body.length
            self._pieces = iter(body)
        else:
            self.length = len(body)
            self._pieces = (body[at : at + BLOCKING] for at in range(0, len(body), BLOCKING))
        self._is_read = self.length > BLOCKING and isinstance(body, FileBody)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_read:
            # A small file lies in the system's memory, nearly always.
            piece = await asyncio.to_thread(next, self._pieces, b"")
        else:
            piece = next(self._pieces, b"")
        if not piece:
            raise StopAsyncIteration
        return piece


def as_bytes(chunk: bytes | str) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else chunk
