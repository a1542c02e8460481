"""A request body that is read while it arrives, for handlers that name `BodyStream`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Protocol


class Chunks(Protocol):
    """Where the bytes come from: the engine's unread body."""

    @property
    def length(self) -> int | None:
        """Bytes that the client declared; None when it did not."""
        ...

    def chunk(self) -> Awaitable[bytes]:
        """The next bytes on the event loop; `b""` at the end."""
        ...

    def chunk_blocking(self) -> bytes:
        """The next bytes on a worker thread; `b""` at the end."""
        ...


class BodyStream:
    """The unread body of a request: `async for chunk in body` in `async def`, `for chunk in body` in `def`.

    It can be read once. The client is slowed down while nobody reads, so memory stays flat whatever the size.

    Attributes:
        length: Bytes that the client declared; None when it sends chunks of unknown number.

    Iterating raises:
        HTTPError: The client broke off, was too slow or sent more than the route's `max_body`.
        RuntimeError: The body was read already.
    """

    __slots__ = ("_chunks", "_started", "length")

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._started = False
        self.length = chunks.length

    def __iter__(self) -> Iterator[bytes]:
        self._start()
        return iter(self._chunks.chunk_blocking, b"")

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._start()
        return self._read()

    async def _read(self) -> AsyncIterator[bytes]:
        while chunk := await self._chunks.chunk():
            yield chunk

    def _start(self) -> None:
        if self._started:
            raise RuntimeError(
                "this BodyStream was read already: a body passes by once; keep what you need of it"
            )
        self._started = True
