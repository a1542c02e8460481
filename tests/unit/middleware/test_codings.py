"""Each coding gives back what went in, and streams can be read as they come."""

from __future__ import annotations

import importlib
import zlib
from typing import Any, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost.middleware.codings import KNOWN, wanted

OFFERS = ("zstd", "br", "gzip")


class Reader(Protocol):
    def __call__(self, data: bytes, /) -> bytes: ...


def reader(name: str) -> Reader:
    """What a client reads with, piece by piece."""
    if name == "gzip":
        return zlib.decompressobj(31).decompress
    if name == "br":
        inner: Any = importlib.import_module("brotli").Decompressor()
        process: Reader = inner.process
        return process
    try:
        zstd: Any = importlib.import_module("compression.zstd")
    except ImportError:
        zstd = importlib.import_module("backports.zstd")
    decompress: Reader = zstd.ZstdDecompressor().decompress
    return decompress


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("data", [b"", b"a", b"hello " * 10_000, bytes(range(256)) * 300])
def test_a_whole_body_comes_back(name: str, data: bytes) -> None:
    made = KNOWN[name]().whole(data)

    assert reader(name)(made) == data
    assert KNOWN[name]().whole(data) == made


@pytest.mark.parametrize("name", KNOWN)
@given(chunks=st.lists(st.binary(min_size=1, max_size=2_000), max_size=6))
def test_what_was_given_can_be_read_at_once(name: str, chunks: list[bytes]) -> None:
    stream, read = KNOWN[name]().stream(), reader(name)

    for chunk in chunks:
        assert read(stream.add(chunk)) == chunk
    assert read(stream.end()) == b""


@pytest.mark.parametrize(
    ("field", "coding"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0.5, zstd;q=0.5", "zstd"),
        ("zstd;q=0, gzip", "gzip"),
        ("*", "zstd"),
        ("*;q=0", None),
        ("zstd;q=0, *", "br"),
        ("identity", None),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity;q=0, gzip;q=0", None),
        ("gzip;q=2", None),
        ("gzip;q=nan", None),
        ("gzip;q=", None),
        ("gzip ; Q=0.8", "gzip"),
        ("deflate", None),
        ("gzip;q=0, gzip", None),
        (", ,gzip,", "gzip"),
        (";q=1", None),
        ("x," * 64 + "gzip", None),
    ],
)
def test_the_coding_is_the_one_that_the_client_likes_most(
    field: str | None, coding: str | None
) -> None:
    assert wanted(field, OFFERS) == coding


@given(st.text(alphabet="gzipbr*identyq=;,.0123456789 \t", max_size=200))
def test_any_field_can_be_read(field: str) -> None:
    assert wanted(field, OFFERS) in (None, *OFFERS)


def test_a_long_field_is_read_in_linear_time() -> None:
    assert wanted("gzip;q=0.5," * 100_000, OFFERS) == "gzip"
