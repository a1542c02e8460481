"""Files and hints on real sockets."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kingpost import _native
from tests.descriptors import open_files
from tests.waiting import PATIENCE, until_async

from .service import Service, serving

CONTENT = bytes(range(256)) * 40_000


def file_of(path: Path, content: bytes = CONTENT) -> _native.OpenFile:
    path.write_bytes(content)
    return _native.OpenFile(path)


def test_an_open_file_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = file_of(path, b"abc")
    state = path.stat()

    assert (file.size, file.modified_ns) == (3, state.st_mtime_ns)
    assert file.etag == _native.OpenFile(path).etag
    os.utime(path, ns=(0, state.st_mtime_ns + 1))
    assert file.etag != _native.OpenFile(path).etag


def test_a_date_before_1970_is_one(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"")
    os.utime(path, ns=(0, -5))

    assert _native.OpenFile(path).modified_ns == -5


def test_a_link_is_followed_unless_it_must_not_be(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    file_of(tmp_path / "file")

    assert _native.OpenFile(tmp_path / "link").size == len(CONTENT)
    with pytest.raises(OSError, match="link"):
        _native.OpenFile(tmp_path / "link", follow=False)


def test_a_body_can_be_looked_at(tmp_path: Path) -> None:
    file = file_of(tmp_path / "file")
    body = _native.FileBody(file, [b"<", (1, 2), b"|", (0, 200_000), b">"])

    assert body.length == 200_005
    assert b"".join(body) == b"<" + CONTENT[1:3] + b"|" + CONTENT[:200_000] + b">"
    assert max(map(len, _native.FileBody(file))) < 100_000


@pytest.mark.parametrize("part", [(1, 10_240_000), (10_240_001, 0), (2**63, 2**63)])
def test_a_stretch_that_is_not_in_the_file_is_refused(
    tmp_path: Path, part: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="are not in a file"):
        _native.FileBody(file_of(tmp_path / "file"), [part])


def test_a_part_that_is_none_is_refused(tmp_path: Path) -> None:
    parts: Any = ["text"]
    with pytest.raises(TypeError, match="a part is bytes, or"):
        _native.FileBody(file_of(tmp_path / "file"), parts)


def test_a_body_of_a_file_that_became_shorter_cannot_be_read(tmp_path: Path) -> None:
    body = _native.FileBody(file_of(tmp_path / "file"))
    os.truncate(tmp_path / "file", 70_000)

    assert len(next(body)) == 65_536
    with pytest.raises(OSError, match="end of file"):
        list(body)


def answering(body: _native.FileBody) -> Callable[[], _native.Answer]:
    return lambda: _native.Answer(200, [("content-type", "a/b")], body)


async def as_coroutine(answer: Callable[[], _native.Answer]) -> _native.Answer:
    await asyncio.sleep(0)
    return answer()


@pytest.mark.parametrize("kind", ["inline", "thread", "async"])
def test_a_file_is_sent_from_wherever_the_handler_ran(tmp_path: Path, kind: str) -> None:
    answer = answering(_native.FileBody(file_of(tmp_path / "file")))
    handler: Any = (lambda: as_coroutine(answer)) if kind == "async" else answer

    async def run() -> None:
        async with serving([("/", handler, kind, {})]) as service:
            for _ in range(2):
                assert await service.get("/") == (200, CONTENT)
            assert await service.get("/", method="HEAD") == (200, b"")
            assert service.server.in_flight == 0

    asyncio.run(run())


def test_a_client_that_reads_slowly_holds_nobody_up(tmp_path: Path) -> None:
    answer = answering(_native.FileBody(file_of(tmp_path / "file", CONTENT * 3)))

    async def run() -> None:
        routes: list[Any] = [("/", answer, "thread", {}), ("/fast", lambda: "x", "inline", {})]
        async with serving(routes) as service, service.connect() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /fast HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(3):
                assert (await service.get("/fast"))[0] == 200
            assert await reader.readexactly(len(CONTENT) * 3) == CONTENT * 3
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")

    asyncio.run(run())


def test_a_client_that_leaves_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT * 3)

    def handler() -> _native.Answer:
        return answering(_native.FileBody(_native.OpenFile(path)))()

    async def run() -> None:
        async with serving([("/", handler, "inline", {})]) as service:
            async with service.connect() as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                await reader.readexactly(1_000)
                writer.transport.abort()
            await nothing_open(path, service)

    asyncio.run(run())


async def nothing_open(path: Path, service: Service) -> None:
    await until_async(lambda: not service.server.connections and path not in open_files())


@pytest.mark.parametrize("kind", ["inline", "thread", "async"])
def test_hints_leave_before_the_answer_is_made(kind: str) -> None:
    go_on = threading.Event()

    def hint(request: Any) -> str:
        request.send_early_hints(["</a.css>; rel=preload", "</b.js>; rel=preload"])
        if kind == "thread":
            assert go_on.wait(PATIENCE)
        return "page"

    async def hint_async(request: Any) -> str:
        request.send_early_hints(["</a.css>; rel=preload", "</b.js>; rel=preload"])
        assert await asyncio.to_thread(go_on.wait, PATIENCE)
        return "page"

    async def run() -> None:
        handler: Any = hint_async if kind == "async" else hint
        binders = {"binders": [("request", None)]}
        async with (
            serving([("/", handler, kind, binders)]) as service,
            service.connect() as (reader, writer),
        ):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            hints = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            assert hints == (
                b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n"
                b"link: </b.js>; rel=preload\r\n\r\n"
            )
            go_on.set()
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
            assert (await service.get("/", fields="connection: close\r\n"))[0] == 103

    asyncio.run(run())


def test_hints_that_could_not_be_sent_safely_are_refused() -> None:
    def hint(request: Any) -> str:
        request.send_early_hints(["</a>\r\nset-cookie: x"])
        return "page"

    async def run() -> None:
        routes: list[Any] = [("/", hint, "inline", {"binders": [("request", None)]})]
        async with serving(routes) as service:
            assert await service.get("/") == (500, b"ValueError")

    asyncio.run(run())
    _native.Request().send_early_hints(["</nobody>"])
