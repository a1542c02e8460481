"""Whoever stands in the way of a stream hands on its end, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from kingpost import Response
from kingpost.middleware.streams import AsyncStream, Stream, send_through


class Doubled:
    def __init__(self) -> None:
        self.told: list[bool] = []

    def add(self, data: bytes, /) -> bytes:
        return data + data

    def end(self) -> bytes:
        return b"."

    def over(self, *, whole: bool) -> None:
        self.told.append(whole)


class Source:
    """An iterator of either kind that knows how often it was closed."""

    def __init__(self, *chunks: Any) -> None:
        self.chunks = list(chunks)
        self.closed = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if not self.chunks:
            raise StopIteration
        chunk = self.chunks.pop(0)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    def close(self) -> None:
        self.closed += 1


class AsyncSource(Source):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        self.close()


def read(source: Source, passage: Doubled, *, is_async: bool) -> list[bytes]:
    if not is_async:
        stream = Stream(source, passage)
        try:
            return list(stream)
        finally:
            stream.close()

    async def read_async() -> list[bytes]:
        stream = AsyncStream(AsyncSource(*source.chunks), passage)
        try:
            return [chunk async for chunk in stream]
        finally:
            await stream.aclose()
            await stream.aclose()

    return asyncio.run(read_async())


@pytest.mark.parametrize("is_async", [False, True])
def test_every_chunk_passes_and_the_end_follows(is_async: bool) -> None:
    passage = Doubled()

    assert read(Source("ä", b"b"), passage, is_async=is_async) == ["ää".encode(), b"bb", b"."]
    assert passage.told == [True]


@pytest.mark.parametrize("is_async", [False, True])
def test_large_chunks_pass_too(is_async: bool) -> None:
    large = b"x" * 100_000

    assert read(Source(large), Doubled(), is_async=is_async) == [large + large, b"."]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_stream_that_fails_has_not_ended_well(is_async: bool) -> None:
    passage = Doubled()

    with pytest.raises(ValueError, match="no more"):
        read(Source(b"a", ValueError("no more")), passage, is_async=is_async)

    assert passage.told == [False]


def test_a_stream_that_was_never_read_is_closed() -> None:
    source, passage = Source(b"a"), Doubled()
    stream = Stream(source, passage)
    stream.close()

    assert (source.closed, passage.told, list(stream)) == (1, [False], [])


def test_an_asynchronous_one_too() -> None:
    source, passage = AsyncSource(b"a"), Doubled()

    async def close() -> list[bytes]:
        stream = AsyncStream(source, passage)
        await stream.aclose()
        return [chunk async for chunk in stream]

    assert asyncio.run(close()) == []
    assert (source.closed, passage.told) == (1, [False])


def test_a_whole_body_is_no_stream() -> None:
    response: Response[Any] = Response("a")
    response.body = b"a"

    assert not send_through(response, Doubled())
