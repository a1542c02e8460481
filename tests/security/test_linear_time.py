"""Work grows with the input and not with its square: whatever is read, twice as much takes at most about twice as long.

Each reader gets its worst inputs that we could think of. Only what is far from linear is found by a clock on a busy
machine, and only that is asked: a quadratic reader shows four times the time, and larger inputs more of it.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable
from typing import Any

import pytest

from kingpost import _native
from kingpost.http.accept import prefers_html
from kingpost.http.cookies import parse_cookies
from kingpost.http.media import json
from kingpost.http.media_type import MediaType
from kingpost.http.url import encode_reference, encode_segment, leaves_site
from kingpost.http.urlencoded import parse_pairs

# Twice the input may take 2.3 times as long: caches fill. Measured over eight times the input, where a square shows as 64, from two
# sizes: memory is had in steps, and a step is no square.
TIMES = 8
RATIO = 2.3**3
ENOUGH = 0.001
# What takes less counts as this. Where a limit or a look at one byte ends the work, both sizes do, the larger one of 1 MiB
# and more: it may take 12 times as long as this and no longer, and the square of a mebibyte takes far more.
SHORTEST = 0.00005


def _time(work: Callable[[Any], object], data: Any) -> float:
    """Processor time of this thread, the best of several runs."""
    best = float("inf")
    gc.disable()
    try:
        for _ in range(3):
            start = time.thread_time()
            # A refusal is an answer, too.
            with contextlib.suppress(Exception):
                work(data)
            best = min(best, time.thread_time() - start)
    finally:
        gc.enable()
    return best


def assert_linear(
    work: Callable[[Any], object],
    make: Callable[[int], Any],
    *,
    most: int = 1 << 20,
    ratio: float = RATIO,
) -> None:
    """Compares n with 8n at the largest n that `most` bytes allow, and sooner where n takes long already."""
    size = 1 << 12
    while TIMES * size < most and _time(work, make(size)) < ENOUGH:
        size *= 2
    ratios: list[float] = []
    for attempt in range(10):
        base = size * (4 if attempt % 2 else 1)
        once, more = max(_time(work, make(base)), SHORTEST), _time(work, make(TIMES * base))
        ratios.append(more / once)
        if ratios[-1] <= ratio:
            return
    raise AssertionError(f"{TIMES} times {size} bytes take {min(ratios):.1f} times as long")


def _repeat(text: str, n: int) -> str:
    return (text * (n // len(text) + 1))[:n]


def _made(start: str, piece: str) -> Callable[[int], str]:
    return lambda n: start + _repeat(piece, n)


def _made_bytes(start: str, piece: str) -> Callable[[int], bytes]:
    return lambda n: (start + _repeat(piece, n)).encode()


PIECES = ["a", "=", "&", ";", ",", " ", "\t", '"', "\\", "%", "%41", "%ff", "+", "a=b&", "a=b; ", "=;", "q=0.5,", "*/*,", "a/b;q=1,", 'a="\\"', "/", "..", "%2e%2e/", "[", "{", '{"a":', "1", "1e", "-", "\x00", "é"]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_forms_and_queries_are_read_in_linear_time(piece: str) -> None:
    assert_linear(
        lambda data: parse_pairs(data, limit=1 << 30, what="query"),
        lambda n: _repeat(piece, n).encode(),
    )


@pytest.mark.parametrize("piece", PIECES)
def test_cookies_are_read_in_linear_time(piece: str) -> None:
    assert_linear(lambda data: parse_cookies([data]), lambda n: _repeat(piece, n))
    assert_linear(lambda data: parse_cookies(data.split("=")), lambda n: _repeat(piece, n))


@pytest.mark.parametrize("piece", PIECES)
def test_accept_is_read_in_linear_time(piece: str) -> None:
    assert_linear(prefers_html, lambda n: _repeat(piece, n))
    assert_linear(prefers_html, lambda n: "text/html;" + _repeat(piece, n))


@pytest.mark.parametrize("piece", [*PIECES, '";', '="', '\\"'])
def test_content_types_are_read_in_linear_time(piece: str) -> None:
    """FastAPI CVE-2024-24762."""
    for start in ("", "text/html", "text/html;", 'text/html; a="'):
        assert_linear(MediaType.parse, _made(start, piece))


@pytest.mark.parametrize(
    "piece",
    [*PIECES, "[1,", "[[", "[]", "[[],", '"[', '\\"', "{}", '"a",', '"\\u0041', "0.", "00", "9"],
)
def test_json_is_read_in_linear_time(piece: str) -> None:
    for start in ("", "[", '"', "[1", '{"a":'):
        assert_linear(json.decode, _made_bytes(start, piece))


def test_json_with_many_keys_and_numbers_is_read_in_linear_time() -> None:
    assert_linear(json.decode, lambda n: b"[" + b",".join(b"%d" % i for i in range(n // 8)) + b"]")
    # A dict of 100,000 keys lies beyond the caches, where one of 10,000 does not: each key is a miss.
    assert_linear(
        json.decode,
        lambda n: b"{" + b",".join(b'"%d":1' % i for i in range(n // 10)) + b"}",
        ratio=2.8**3,
    )
    assert_linear(json.decode, lambda n: b"{" + b",".join([b'"a":1'] * (n // 6)) + b"}")
    assert_linear(json.decode, lambda n: b"9" * n)
    assert_linear(json.decode, lambda n: b"0." + b"9" * n)
    assert_linear(json.decode, lambda n: b"1e" + b"9" * n)


@pytest.mark.parametrize("piece", PIECES)
def test_urls_are_written_and_judged_in_linear_time(piece: str) -> None:
    for work in (leaves_site, encode_reference, encode_segment):
        assert_linear(work, lambda n: _repeat(piece, n))


@pytest.mark.parametrize(
    "pattern",
    ["/{rest:path}", "/{a}", "/{a}/{b}/{c}", "/x{a}x", "/{a:int}", "/{a:slug}", "/a/{rest:path}"],
)
def test_paths_are_found_in_linear_time(pattern: str) -> None:
    router = _native.Router()
    router.add(pattern, ["GET"], 0, "here")
    router.add("/a/b/{c}/d", ["GET"], 1, "there")
    for piece in ("a", "/", "/a", "a/", "%2f", "%61", "x", "1", "-", "../", "%"):
        assert_linear(
            lambda data: router.find("GET", data),
            _made_bytes("/", piece),
        )


def test_many_alternatives_do_not_multiply() -> None:
    # A literal and a parameter at each of twelve places: who goes back for each has 4,096 ways.
    router = _native.Router()
    deep = 12
    router.add("/" + "/".join(["a"] * deep) + "/end", ["GET"], 0, "0")
    for place in range(deep):
        parts = ["a"] * deep
        parts[place] = f"{{p{place}}}"
        router.add("/" + "/".join(parts) + "/end", ["GET"], place + 1, str(place + 1))
    router.add("/" + "/".join(f"{{q{place}}}" for place in range(deep)) + "/end", ["GET"], 99, "99")
    start = time.thread_time()
    for _ in range(100):
        router.find("GET", b"/a" * deep + b"/nowhere")
        router.find("GET", b"/a" * deep * 50)
    assert time.thread_time() - start < 0.5


@pytest.mark.parametrize(
    "make",
    [
        lambda n: b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * (n // 27),
        lambda n: (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"1\r\na\r\n" * (n // 6)
            + b"0\r\n\r\n"
        ),
        lambda n: (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % n + b"\r\n" * (n // 2)
        ),
        lambda n: (
            b"GET / HTTP/1.1\r\nHost: a\r\n"
            + b"a: b\r\n" * 90
            + b"\r\n"
            + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * (n // 27)
        ),
    ],
)
def test_requests_are_read_in_linear_time(make: Callable[[int], bytes]) -> None:
    assert_linear(_native.parse_requests, make)
