"""What is compressed, what is left alone, and what the answer says of it."""

from __future__ import annotations

import asyncio
import importlib
import os
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, FileResponse, Response
from kingpost.errors import ConfigurationError
from kingpost.middleware import Compression, ConditionalGet
from kingpost.middleware.codings import KNOWN
from kingpost.testing import TestClient, TestResponse
from tests.unit.middleware.test_codings import reader

TEXT = "the same words again and again, " * 100
ALL = {"accept-encoding": "gzip, br, zstd"}
closed: list[str] = []


def answered(
    content: Any = TEXT,
    *,
    headers: dict[str, str] | None = None,
    status: int = 200,
    sent: dict[str, str] | None = None,
    method: str = "GET",
    **options: Any,
) -> TestResponse:
    app = App(middleware=[Compression(**options)])

    @app.get("/")
    def home() -> Response[Any]:
        made = content() if callable(content) else content
        return Response(made, status=status, headers=headers or {})

    return TestClient(app).request(method, "/", headers=ALL if sent is None else sent)


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_a_body_is_compressed_by_what_the_client_reads(name: str) -> None:
    response = answered(sent={"accept-encoding": name})

    assert response.headers["content-encoding"] == name
    assert response.headers["vary"] == "accept-encoding"
    assert int(response.headers["content-length"]) == len(response.content) < len(TEXT)
    assert reader(name)(response.content).decode() == TEXT


def test_zstd_is_preferred() -> None:
    assert answered().headers["content-encoding"] == "zstd"
    assert answered(codings=["gzip", "zstd"]).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "sent", [{}, {"accept-encoding": "identity"}, {"accept-encoding": "gzip;q=0"}]
)
def test_who_cannot_read_it_gets_it_plain_and_caches_know(sent: dict[str, str]) -> None:
    response = answered(sent=sent)

    assert response.text == TEXT
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "image/png"},
        {"content-type": "text/event-stream"},
        {"content-type": "application/zip"},
        {"content-encoding": "gzip"},
        {"content-encoding": "identity"},
        {"content-range": "bytes 0-9/10"},
        {"cache-control": "public, No-Transform"},
        {"content-digest": "sha-256=:x:"},
    ],
    ids=str,
)
def test_what_would_be_spoilt_is_left_alone(headers: dict[str, str]) -> None:
    response = answered(headers=headers)

    assert response.text == TEXT
    assert response.headers.get("content-encoding") == headers.get("content-encoding")
    assert "vary" not in response.headers


def test_a_part_of_something_is_left_alone() -> None:
    assert "content-encoding" not in answered(status=206).headers


def test_what_is_small_is_left_alone() -> None:
    assert "content-encoding" not in answered("x" * 1_023).headers
    assert answered("x" * 1_024).headers["content-encoding"] == "zstd"
    assert answered("x" * 100, minimum=100).headers["content-encoding"] == "zstd"
    assert "content-encoding" not in answered("", minimum=0).headers


def test_what_gets_longer_is_left_alone() -> None:
    noise = os.urandom(2_000)
    response = answered(noise, headers={"content-type": "text/plain"})

    assert response.content == noise
    assert "content-encoding" not in response.headers
    assert response.headers["vary"] == "accept-encoding"


def test_a_large_body_is_compressed_beside_the_loop() -> None:
    text = TEXT * 100
    response = answered(text, sent={"accept-encoding": "gzip"})

    assert zlib.decompress(response.content, 31).decode() == text


@pytest.mark.parametrize(
    ("media_type", "is_compressed"),
    [
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("TEXT/HTML; charset=utf-8", True),
        ("application/vnd.example", True),
        ("font/woff2", False),
        ("", False),
    ],
)
def test_the_type_decides(media_type: str, is_compressed: bool) -> None:
    response = answered(headers={"content-type": media_type}, also=["application/vnd.Example"])

    assert ("content-encoding" in response.headers) is is_compressed


@pytest.mark.parametrize(("tag", "sent"), [('"abc"', 'W/"abc"'), ('W/"abc"', 'W/"abc"')])
def test_a_strong_tag_becomes_a_weak_one(tag: str, sent: str) -> None:
    assert answered(headers={"etag": tag}).headers["etag"] == sent
    assert answered(headers={"etag": tag}, sent={}).headers["etag"] == tag


def test_what_was_said_of_vary_and_ranges() -> None:
    response = answered(headers={"vary": "Cookie", "accept-ranges": "bytes"})

    assert response.headers["vary"] == "Cookie, accept-encoding"
    assert "accept-ranges" not in response.headers


def test_head_says_what_get_says() -> None:
    get, head = answered(), answered(method="HEAD")

    assert head.content == b""
    for name in ("content-encoding", "content-length", "vary", "content-type"):
        assert head.headers[name] == get.headers[name]


def test_a_304_repeats_the_fields_of_the_200() -> None:
    app = App(middleware=[Compression(), ConditionalGet()])

    @app.get("/")
    def home() -> str:
        return TEXT

    client = TestClient(app, headers=ALL)
    first = client.get("/")
    second = client.get("/", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["etag"].startswith('W/"')
    assert (second.status, second.content) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["vary"] == first.headers["vary"]
    assert "content-encoding" not in second.headers
    plain = client.get("/", headers={"if-none-match": "*", "accept-encoding": "identity"})
    assert plain.headers["etag"] == first.headers["etag"].removeprefix("W/")


def numbers() -> Iterator[str | bytes]:
    try:
        yield "one "
        yield ""
        yield b"two "
        yield "three"
    finally:
        closed.append("def")


async def async_numbers() -> AsyncIterator[str | bytes]:
    try:
        yield "one "
        yield b""
        yield b"two " * 20_000
    finally:
        closed.append("async def")


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
@pytest.mark.parametrize(
    ("make", "text"), [(numbers, "one two three"), (async_numbers, "one " + "two " * 20_000)]
)
def test_a_stream_is_compressed_as_it_comes(name: str, make: Callable[[], Any], text: str) -> None:
    closed.clear()
    response = answered(make, headers={"content-type": "text/csv"}, sent={"accept-encoding": name})

    assert response.headers["content-encoding"] == name
    assert reader(name)(response.content).decode() == text
    assert len(closed) == 1


def test_each_chunk_can_be_read_before_the_next_is_made() -> None:
    has_read: list[bytes] = []
    app = App(middleware=[Compression()])

    @app.get("/")
    async def home() -> Response[AsyncIterator[str]]:
        async def lines() -> AsyncIterator[str]:
            yield "line 0\n"
            while not has_read:  # noqa: ASYNC110 - it is read by a thread without a loop
                await asyncio.sleep(0.001)
            yield "line 1\n"

        return Response(lines(), media_type="text/plain")

    read = reader("gzip")
    with TestClient(app).stream("GET", "/", headers={"accept-encoding": "gzip"}) as response:
        has_read.append(read(next(iter(response))))
        rest = read(response.read())

    assert (has_read, rest) == ([b"line 0\n"], b"line 1\n")


def test_the_head_of_a_stream_says_what_its_get_says() -> None:
    app = App(middleware=[Compression()])

    @app.get("/")
    def home() -> Response[Iterator[str | bytes]]:
        return Response(numbers(), media_type="text/csv")

    response = TestClient(app, raise_errors=False).head("/", headers=ALL)

    assert (response.headers["content-encoding"], response.content) == ("zstd", b"")


def test_a_stream_that_fails_is_cut() -> None:
    def failing() -> Iterator[str]:
        yield "half"
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        answered(failing, headers={"content-type": "text/csv"})


def test_a_file_is_sent_as_it_lies_there(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text(TEXT)
    app = App(middleware=[Compression()])

    @app.get("/")
    def words() -> FileResponse:
        return FileResponse(file)

    response = TestClient(app).get("/", headers={**ALL, "range": "bytes=0-7"})

    assert (response.status, response.text) == (206, "the same")


def test_without_libraries_there_is_gzip(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)

    assert answered().headers["content-encoding"] == "gzip"
    with pytest.raises(ConfigurationError) as error:
        Compression(codings=["br", "gzip"])
    assert error.value.code == "compression.missing-library"
    assert "kingpost[compression]" in error.value.remedy


@pytest.mark.parametrize("name", ["zstd", "br"])
def test_the_extra_has_the_libraries(name: str) -> None:
    assert KNOWN[name]().whole(TEXT.encode())


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("compression.unknown-coding", {"codings": ["deflate"]}),
        ("compression.unknown-coding", {"codings": "gzip"}),
        ("compression.unknown-coding", {"codings": []}),
        ("compression.bad-minimum", {"minimum": -1}),
        ("compression.bad-type", {"also": "text/x"}),
        ("compression.bad-type", {"also": ["text"]}),
        ("compression.bad-type", {"also": ["text/*"]}),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(code: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as error:
        Compression(**options)

    assert error.value.code == code
