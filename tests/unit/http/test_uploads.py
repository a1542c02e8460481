from __future__ import annotations

import asyncio
import io
import os
import resource
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, MultipartStream, Request, Unauthorized, UploadFile, limits
from kingpost.errors import HTTPError
from kingpost.http.uploads import Collector, FormData, collected, safe_filename
from kingpost.testing import LiveServer, TestClient

TYPE = "multipart/form-data; boundary=x"
HEADERS = {"content-type": TYPE}
TWO_GIGABYTES = 2_048 * limits.MIB


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    return (
        f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        + content
        + b"\r\n"
    )


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--x--\r\n"


@pytest.mark.parametrize(
    ("sent", "safe"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\b.png", "b.png"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        (". .", "file"),
        (".bashrc", "bashrc"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("LPT²", "_LPT²"),
        ("console.txt", "console.txt"),
        ("a\x00b\r\nc.txt", "a_b_c.txt"),
        ("a:b.txt", "a_b.txt"),
        ('a"<>|?*.txt', "a_.txt"),
        ("żółw.txt", "żółw.txt"),
        ("x" * 300 + ".png", "x" * 251 + ".png"),
        ("é" * 200, "é" * 127),
        ("trailing. ", "trailing"),
    ],
)
def test_names_cannot_lead_anywhere(sent: str, safe: str) -> None:
    assert safe_filename(sent) == safe
    assert len(safe.encode()) <= limits.FILENAME_BYTES
    assert Path(safe).name == safe


def test_a_form_is_the_same_however_it_is_cut() -> None:
    body = form(part("a", b"1"), part("f", b"\x00\r\n--y" * 10, "n"), part("a", b"2"))
    for size in range(1, len(body)):
        collector = Collector(TYPE, max_file=1000)
        for at in range(0, len(body), size):
            collector.feed(body[at : at + size])
        found = collector.finish()
        assert found.fields.get_all("a") == ["1", "2"]
        (file,) = found.files_of("f")
        assert (file.filename, file.size, file.read()) == ("n", 60, b"\x00\r\n--y" * 10)
        found.close()


def test_a_file_has_a_limit() -> None:
    for size, is_taken in ((1000, True), (1001, False)):
        body = form(part("f", b"x" * size, "n"))
        if is_taken:
            found = collected(body, TYPE, max_file=1000)
            assert found.files_of("f")[0].size == size
            found.close()
        else:
            with pytest.raises(HTTPError) as refused:
                collected(body, TYPE, max_file=1000)
            assert refused.value.status == 413


def test_a_large_file_lies_on_disk_and_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[UploadFile] = []
    app = App()

    @app.post("/", max_body="4 MiB")
    def keep(file: UploadFile, request: Request) -> int:
        seen.append(file)
        # A spooled file that was rolled over has a descriptor.
        os.fstat(file.file.fileno())
        return file.size

    with TestClient(app) as browser:
        answer = browser.post(
            "/", content=form(part("file", b"y" * (2 * limits.MIB), "n")), headers=HEADERS
        )

    assert answer.json() == 2 * limits.MIB
    assert seen[0].file.closed


def test_save_writes_the_whole_file(tmp_path: Path) -> None:
    app = App()

    @app.post("/")
    async def save(file: UploadFile) -> str:
        file.save(tmp_path / file.filename)
        return file.filename

    with TestClient(app) as browser:
        answer = browser.post(
            "/", content=form(part("file", b"content", "a/b.txt")), headers=HEADERS
        )

    assert answer.text == "b.txt"
    assert (tmp_path / "b.txt").read_bytes() == b"content"


def test_several_files_under_one_name() -> None:
    app = App()

    @app.post("/")
    def names(files: list[UploadFile]) -> list[str]:
        return [file.filename for file in files]

    with TestClient(app) as browser:
        answer = browser.post(
            "/",
            content=form(part("files", b"1", "a"), part("files", b"2", "b")),
            headers=HEADERS,
        )

    assert answer.json() == ["a", "b"]


def test_who_may_not_upload_is_told_so_before_the_body_is_read() -> None:
    app = App()
    received: list[Any] = []

    @app.before_request
    def refuse(request: Request) -> None:
        if "x-user" not in request.headers:
            raise Unauthorized("who are you?")

    @app.post("/")
    def upload(file: UploadFile) -> int:
        received.append(file)
        return file.size

    class Watched:
        """A body that says when it is read."""

        taken = 0

    def chunks() -> Any:
        for _ in range(1000):
            Watched.taken += 1
            yield b"x" * 65_536

    with TestClient(app) as browser:
        answer = browser.post("/", content=chunks(), headers=HEADERS)

    assert answer.status == 401
    assert received == []
    assert Watched.taken < 20


class User:
    """Who has signed in."""


@pytest.mark.parametrize("path", ["/hook", "/provider", "/stream"])
def test_of_a_gigabyte_less_than_64_kib_is_sent_when_the_stranger_hears_so(path: str) -> None:
    app = App()

    @app.provide
    def user(request: Request) -> User:
        raise Unauthorized("who are you?")

    def refuse(request: Request) -> None:
        raise Unauthorized("who are you?")

    @app.post("/hook", before=[refuse], max_body="2 GiB")
    def by_hook(file: UploadFile) -> int:
        return file.size

    @app.post("/provider", max_body="2 GiB")
    def by_provider(user: User, file: UploadFile) -> int:
        return file.size

    @app.post("/stream", max_body="2 GiB")
    async def by_stream(user: User, parts: MultipartStream) -> int:
        return sum([1 async for _ in parts])

    begun = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    head = (
        f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=x\r\n"
        f"content-length: {1024 * limits.MIB}\r\n\r\n"
    )
    with LiveServer(app) as live:
        with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
            connection.sendall(head.encode() + begun + b"z" * 60_000)
            answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("is_async", [True, False])
def test_parts_pass_by(*, is_async: bool) -> None:
    app = App()
    body = form(
        part("title", "tytuł".encode()),
        part("skipped", b"s" * 100_000, "skipped.bin"),
        part("file", b"f" * 300_000, "f.bin"),
    )

    if is_async:

        @app.post("/", max_body="1 MiB")
        async def receive(parts: MultipartStream) -> list[object]:
            found: list[object] = []
            async for each in parts:
                if each.filename is None:
                    found.append(await each.atext())
                elif each.name == "file":
                    found.append(sum([len(chunk) async for chunk in each]))
            return found

    else:

        @app.post("/", max_body="1 MiB")
        def receive_blocking(parts: MultipartStream) -> list[object]:
            found: list[object] = []
            for each in parts:
                if each.filename is None:
                    found.append(each.text())
                elif each.name == "file":
                    found.append(sum(len(chunk) for chunk in each))
            return found

    with TestClient(app) as browser:
        answer = browser.post("/", content=body, headers=HEADERS)

    assert answer.json() == ["tytuł", 300_000]


@pytest.mark.parametrize("size", [200 * limits.MIB, 2_048 * limits.MIB])
def test_a_large_upload_needs_little_memory(size: int) -> None:
    """It passes through a handler that counts it; what is in memory does not grow with it."""
    app = App()
    piece = b"z" * 262_144

    @app.post("/", max_body="3 GiB")
    async def count(parts: MultipartStream) -> int:
        total = 0
        async for each in parts:
            async for chunk in each:
                total += len(chunk)
        return total

    def body() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        for _ in range(size // len(piece)):
            yield piece
        yield b"\r\n--x--\r\n"

    with TestClient(app) as browser:
        browser.post("/", content=form(part("f", b"warm", "f")), headers=HEADERS)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = browser.post("/", content=body(), headers=HEADERS)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert answer.json() == size
    assert grown * 1024 < 60 * limits.MIB


@pytest.mark.long
@pytest.mark.parametrize("way", ["file", "file-def", "parts", "parts-def"])
def test_two_gigabytes_from_a_socket_need_little_memory(way: str) -> None:
    """A form through a real connection, its file on disk or passing by; while what takes it is slower than the client, the client waits."""
    app = App()
    size, piece = TWO_GIGABYTES, b"z" * limits.MIB

    @app.post("/file", max_body="3 GiB")
    async def keep(file: UploadFile) -> int:
        # On disk: what was rolled over has a descriptor.
        return os.fstat(file.file.fileno()).st_size

    @app.post("/file-def", max_body="3 GiB")
    def keep_here(file: UploadFile) -> int:
        return os.fstat(file.file.fileno()).st_size

    @app.post("/parts", max_body="3 GiB")
    async def count(parts: MultipartStream) -> int:
        total = 0
        async for each in parts:
            async for chunk in each:
                total += len(chunk)
        return total

    @app.post("/parts-def", max_body="3 GiB")
    def count_here(parts: MultipartStream) -> int:
        return sum(len(chunk) for each in parts for chunk in each)

    before, _, after = form(part("file", b"|", "f")).partition(b"|")
    head = (
        f"POST /{way} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: {TYPE}\r\n"
        f"content-length: {len(before) + size + len(after)}\r\n\r\n"
    )
    with LiveServer(app) as live:
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
            connection.sendall(head.encode() + before)
            for _ in range(size // len(piece)):
                connection.sendall(piece)
            connection.sendall(after)
            answer = b""
            while received := connection.recv(65_536):
                answer += received
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held

    assert answer.endswith(f"\r\n\r\n{size}".encode())
    assert grown * 1024 < 60 * limits.MIB


def test_a_client_that_leaves_leaves_no_file_behind() -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir())) if descriptors.exists() else 0

    async def main() -> None:
        from kingpost.http.uploads import receive

        async def chunks() -> AsyncIterator[bytes]:
            yield form(part("f", b"x" * 600_000, "n"))[:-100]
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            await receive(chunks(), TYPE, max_file=10**9)

    asyncio.run(main())

    if before:
        assert len(list(descriptors.iterdir())) <= before + 1


def test_closing_a_form_closes_its_files() -> None:
    collector = Collector(TYPE, max_file=10)
    collector.feed(form(part("f", b"x", "n")))
    found: FormData = collector.finish()
    (file,) = found.files_of("f")
    found.close()
    assert file.file.closed
    assert isinstance(file.file, tempfile.SpooledTemporaryFile)


def test_a_form_that_a_handler_asks_for_leaves_nothing_open() -> None:
    """Nobody would close its files: they stay where the body is."""
    app = App()

    @app.post("/")
    async def show(request: Request) -> int:
        (file,) = request.form_data().files_of("f")
        assert isinstance(file.file, io.BytesIO)
        return len(file.read())

    size = limits.UPLOAD_IN_MEMORY + 1
    with TestClient(app) as client:
        answer = client.post("/", content=form(part("f", bytes(size), "n")), headers=HEADERS)

    assert answer.json() == size
