"""A body that is read while it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from kingpost.http import BodyStream


class Chunks:
    def __init__(self, *chunks: bytes, length: int | None = None) -> None:
        self.left = list(chunks)
        self.length = length

    def chunk_blocking(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    def chunk(self) -> Awaitable[bytes]:
        async def one() -> bytes:
            await asyncio.sleep(0)
            return self.chunk_blocking()

        return one()


def test_a_sync_handler_iterates_over_chunks() -> None:
    assert list(BodyStream(Chunks(b"a", b"b"))) == [b"a", b"b"]


def test_an_async_handler_iterates_over_chunks() -> None:
    async def read() -> list[bytes]:
        return [chunk async for chunk in BodyStream(Chunks(b"a", b"b"))]

    assert asyncio.run(read()) == [b"a", b"b"]


@pytest.mark.parametrize("length", [None, 0, 2])
def test_the_declared_length_is_told(length: int | None) -> None:
    assert BodyStream(Chunks(length=length)).length == length


def test_a_body_is_read_once() -> None:
    stream = BodyStream(Chunks(b"a"))
    list(stream)

    with pytest.raises(RuntimeError, match="was read already"):
        iter(stream)
    with pytest.raises(RuntimeError, match="was read already"):
        aiter(stream)


def test_an_empty_body_has_no_chunks() -> None:
    assert list(BodyStream(Chunks())) == []
