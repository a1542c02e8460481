"""`WhenSent`: status and bytes of every answer, of those that were cut off as well."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, NotFound, Request, Response, WebSocket
from kingpost.errors import ConfigurationError
from kingpost.http import FileResponse
from kingpost.middleware import Sent, WhenSent
from kingpost.testing import AsyncTestClient, SocketRefused, TestClient
from tests.unit.app.asking import ask_and_leave
from tests.waiting import until_async


def counting() -> tuple[App, list[tuple[str, int, int, bool]]]:
    found: list[tuple[str, int, int, bool]] = []

    async def count(sent: Sent) -> None:
        assert sent.seconds > 0
        found.append((sent.request.path, sent.status, sent.bytes, sent.is_complete))

    return App(middleware=[WhenSent(count)]), found


def test_it_is_told_of_every_kind_of_answer(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(300_000))
    app, found = counting()

    @app.get("/text")
    async def text() -> str:
        return "four"

    @app.get("/much")
    def much() -> bytes:
        return bytes(200_000)

    @app.get("/stream")
    async def stream() -> AsyncIterator[str]:
        yield "é"
        yield "ab"

    @app.get("/stream-def")
    def stream_def() -> Iterator[bytes]:
        yield bytes(10)
        yield bytes(5)

    @app.get("/file")
    def file() -> FileResponse:
        return FileResponse(tmp_path / "large")

    @app.get("/nothing")
    async def nothing() -> None:
        return None

    @app.get("/missing")
    async def missing() -> str:
        raise NotFound

    with TestClient(app, raise_errors=False) as client:
        answers = {
            path: client.get(path)
            for path in (
                "/text",
                "/much",
                "/stream",
                "/stream-def",
                "/file",
                "/nothing",
                "/missing",
                "/none",
            )
        }
        part = client.get("/file", headers={"range": "bytes=0-9"})
        same = client.get("/file", headers={"if-none-match": answers["/file"].headers["etag"]})

    sizes = [len(answer.content) for answer in answers.values()]
    assert sizes[:6] == [4, 200_000, 4, 15, 300_000, 0]
    statuses = [200, 200, 200, 200, 200, 204, 404, 404]
    assert found[:8] == [
        (path, status, size, True)
        for path, status, size in zip(answers, statuses, sizes, strict=True)
    ]
    assert found[8:] == [("/file", 206, 10, True), ("/file", 304, 0, True)]
    assert answers["/much"].headers["content-length"] == "200000"
    assert answers["/file"].headers["content-length"] == "300000"
    assert (part.status, same.status) == (206, 304)
    assert "content-length" not in answers["/stream"].headers


@pytest.mark.parametrize("kind", ["text", "stream", "file"])
def test_head_has_no_bytes(kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    app, found = counting()

    @app.get("/text")
    async def text() -> str:
        return "four"

    @app.get("/stream")
    async def stream() -> AsyncIterator[str]:
        yield "four"

    @app.get("/file")
    def file() -> FileResponse:
        return FileResponse(tmp_path / "file")

    with TestClient(app) as client:
        answer = client.head(f"/{kind}")

    assert found == [(f"/{kind}", 200, 0, True)]
    assert answer.headers.get("content-length") == {"text": "4", "stream": None, "file": "10"}[kind]


@pytest.mark.parametrize("kind", ["stream", "stream-def", "whole", "file"])
def test_a_client_that_leaves_in_the_middle_has_been_sent_so_much_and_no_more(
    kind: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(bytes(20_000_000))
    app, found = counting()

    @app.get("/stream")
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield bytes(100_000)

    @app.get("/stream-def")
    def stream_def() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(100_000)

    @app.get("/whole")
    async def whole() -> bytes:
        return bytes(20_000_000)

    @app.get("/file")
    def file() -> FileResponse:
        return FileResponse(tmp_path / "file")

    async def main() -> int:
        read = 0
        async with AsyncTestClient(app) as client:
            async with client.stream("GET", f"/{kind}") as answer:
                async for chunk in answer:
                    read += len(chunk)
                    if read >= 500_000:
                        break
            await until_async(lambda: found)
        return read

    read = asyncio.run(main())

    ((_, status, size, is_complete),) = found
    assert (status, is_complete) == (200, False)
    assert read <= size <= read + 500_000


def test_a_client_that_leaves_before_there_is_an_answer() -> None:
    app, found = counting()
    is_served = asyncio.Event()

    @app.get("/")
    async def slow() -> str:
        is_served.set()
        await asyncio.sleep(3600)
        return "never"

    asyncio.run(ask_and_leave(app, is_served, seen=lambda: found))

    assert found == [("/", 499, 0, False)]


def test_a_stream_that_fails_is_not_complete() -> None:
    app, found = counting()

    @app.get("/")
    async def stream() -> AsyncIterator[str]:
        yield "four"
        raise ValueError("in the middle")

    with TestClient(app, raise_errors=False) as client, contextlib.suppress(Exception):
        client.get("/")

    assert found == [("/", 200, 4, False)]


def test_a_def_is_called_on_a_thread_and_what_it_raises_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[tuple[BaseException, Request | None]] = []

    def fail(sent: Sent) -> None:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        raise ValueError("cannot count")

    app = App(middleware=[WhenSent(fail)])

    @app.extensions.error_reporter
    def report(error: BaseException, request: Request | None) -> None:
        told.append((error, request))

    @app.get("/")
    async def show() -> Response[str]:
        return Response("x", status=201)

    with caplog.at_level(logging.ERROR), TestClient(app) as client:
        assert client.get("/").status == 201

    assert "cannot count" in caplog.text
    assert [str(error) for error, _ in told] == ["cannot count"]


def test_what_cannot_be_called_is_refused() -> None:
    callback: Any = "count"

    with pytest.raises(ConfigurationError) as refused:
        WhenSent(callback)

    assert refused.value.code == "when-sent.bad-callback"


@pytest.mark.parametrize("said", ["", "fail", "leave"])
def test_a_websocket_is_told_of_once_when_it_is_accepted(said: str) -> None:
    app, found = counting()

    @app.websocket("/echo")
    async def echo(ws: WebSocket) -> None:
        async for message in ws:
            assert message != "fail"
            # What is told has been told before anything is said.
            await ws.send(str(found))

    with TestClient(app, raise_errors=False) as client:
        with client.websocket("/echo") as ws:
            ws.send("hello")
            assert ws.receive() == str([("/echo", 101, 0, True)])
            if said == "leave":
                ws.close(4002)
            elif said:
                ws.send(said)
                assert list(ws) == []

    assert found == [("/echo", 101, 0, True)]


def test_a_refused_websocket_is_told_of_as_a_request_like_others() -> None:
    app, found = counting()

    @app.websocket("/echo")
    async def echo(ws: WebSocket) -> None:
        raise NotFound

    with TestClient(app, raise_errors=False) as client:
        with pytest.raises(SocketRefused), client.websocket("/echo"):
            pass

    [(path, status, _, is_complete)] = found
    assert (path, status, is_complete) == ("/echo", 404, True)
