"""Whoever stands in the way of a stream hands on its end, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kingpost import FileResponse, Response
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


def test_the_stream_of_a_def_goes_through() -> None:
    response: Response[Any] = Response()
    chunks: list[bytes | str] = [b"a", "b"]
    response.chunks = iter(chunks)

    assert send_through(response, Doubled())
    assert isinstance(response.chunks, Stream)
    assert list(response.chunks) == [b"aa", b"bb", b"."]


def test_a_file_is_no_stream(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a")
    response = FileResponse(file)
    chunks = response.chunks

    assert not send_through(response, Doubled())
    assert response.chunks is chunks


class Silent(Doubled):
    """Says nothing for some chunks, nor at the end."""

    def add(self, data: bytes, /) -> bytes:
        return b"" if data == b"quiet" else data

    def end(self) -> bytes:
        return b""


@pytest.mark.parametrize("is_async", [False, True])
def test_nothing_is_sent_for_nothing(is_async: bool) -> None:
    passage = Silent()

    assert read(Source(b"quiet", b"a", b"quiet"), passage, is_async=is_async) == [b"a"]
    assert passage.told == [True]


def test_what_cannot_be_closed_is_left() -> None:
    passage = Doubled()
    Stream(iter([b"a"]), passage).close()

    async def close() -> None:
        class Endless:
            def __aiter__(self) -> AsyncIterator[bytes]:
                return self

            async def __anext__(self) -> bytes:
                return b"a"

        await AsyncStream(Endless(), passage).aclose()

    asyncio.run(close())
    assert passage.told == [False, False]
