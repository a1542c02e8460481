from __future__ import annotations

import asyncio
import dataclasses
import io
import os
import resource
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, TypedDict, cast

import attrs
import pydantic
import pytest

from kingpost import (
    App,
    Form,
    Meta,
    MultipartStream,
    Request,
    Struct,
    Unauthorized,
    UploadFile,
    limits,
)
from kingpost.errors import HTTPError, RoutingError, SignatureError
from kingpost.http.uploads import Collector, FormBounds, FormData, collected, safe_filename
from kingpost.routing import FormLimits, HasQuery
from kingpost.schema import Invalid
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
        collector = Collector(TYPE, FormBounds(file=1000))
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
            found = collected(body, TYPE, FormBounds(file=1000))
            assert found.files_of("f")[0].size == size
            found.close()
        else:
            with pytest.raises(HTTPError) as refused:
                collected(body, TYPE, FormBounds(file=1000))
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
            await receive(chunks(), TYPE, FormBounds(file=10**9))

    asyncio.run(main())

    if before:
        assert len(list(descriptors.iterdir())) <= before + 1


def test_closing_a_form_closes_its_files() -> None:
    collector = Collector(TYPE, FormBounds(file=10))
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


FORM_LIMITS: FormLimits = {"fields": 2, "files": 1, "field": 10, "memory": 15, "file": 20}
PLAIN = {"content-type": "application/x-www-form-urlencoded"}


MADE: dict[str, tuple[Callable[[int], bytes], int]] = {
    "form.too-many-fields": (lambda more: part("b", b"1") * (2 + more), 400),
    "form.too-many-files": (lambda more: part("f", b"1", "n") * (1 + more), 400),
    "form.field-too-large": (lambda more: part("a", b"x" * (10 + more)), 413),
    "form.too-large": (lambda more: part("b", b"x" * 9) + part("c", b"x" * (6 + more)), 413),
    "form.file-too-large": (lambda more: part("f", b"x" * (20 + more), "n"), 413),
}
"""Forms at their limits, and past them by as much as is said."""


def limited_app() -> App:
    """Ways to a form that is complete before it is read."""
    app = App()

    @app.post("/asked", form_limits=FORM_LIMITS)
    async def asked(request: Request) -> int:
        form = request.form_data()
        return len(form.fields.pairs()) + len(form.files)

    @app.post("/field", form_limits=FORM_LIMITS)
    def field(a: Annotated[str, Form()] = "") -> int:
        return len(a)

    @app.post("/file", form_limits=FORM_LIMITS)
    def file(a: Annotated[str, Form()] = "", file: UploadFile | None = None) -> int:
        return len(a)

    @app.post("/chosen", when=HasQuery("small"), form_limits=FORM_LIMITS)
    def chosen(a: Annotated[str, Form()] = "") -> int:
        return len(a)

    @app.post("/chosen")
    def unlimited(a: Annotated[str, Form()] = "") -> int:
        return len(a)

    return app


@pytest.mark.parametrize("path", ["/asked", "/field", "/file", "/chosen?small=1"])
@pytest.mark.parametrize(
    ("kept", "refused", "status", "code"),
    [
        (b"b=1&c=2", b"b=1&c=2&d=3", 400, "form.too-many-fields"),
        (b"a=" + b"x" * 10, b"a=" + b"x" * 11, 413, "form.field-too-large"),
        (b"b=12345&c=" + b"x" * 5, b"b=12345&c=" + b"x" * 6, 413, "form.too-large"),
    ],
)
def test_a_plain_form_has_the_limits_of_its_route(
    path: str, kept: bytes, refused: bytes, status: int, code: str
) -> None:
    with TestClient(limited_app()) as client:
        assert client.post(path, content=kept, headers=PLAIN).status == 200
        answer = client.post(path, content=refused, headers=PLAIN)

    assert (answer.status, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/asked", "/field", "/file", "/chosen?small=1"])
@pytest.mark.parametrize("code", MADE)
def test_a_form_with_files_has_the_limits_of_its_route(path: str, code: str) -> None:
    made, status = MADE[code]
    with TestClient(limited_app()) as client:
        assert client.post(path, content=form(made(0)), headers=HEADERS).status == 200
        answer = client.post(path, content=form(made(1)), headers=HEADERS)

    assert (answer.status, answer.json()["code"]) == (status, code)


def test_the_limits_of_one_route_are_none_of_another() -> None:
    with TestClient(limited_app()) as client:
        answer = client.post("/chosen", content=b"a=" + b"x" * 11, headers=PLAIN)

    assert answer.json() == 11


def test_one_large_field_may_be_as_large_as_its_own_limit_says() -> None:
    app = App()
    size = limits.FORM_BYTES + 1

    @app.post("/", form_limits={"field": size})
    def read(a: Annotated[str, Form()]) -> int:
        return len(a)

    with TestClient(app) as client:
        answer = client.post("/", content=form(part("a", b"x" * size)), headers=HEADERS)

    assert answer.json() == size


@pytest.mark.parametrize(("spool", "size"), [(100, 100), (limits.MIB, limits.MIB), (0, 0)])
def test_a_route_says_what_of_a_file_is_held_in_memory(spool: int, size: int) -> None:
    on_disk: list[bool] = []
    app = App()

    @app.post("/", form_limits={"spool": spool})
    def keep(file: UploadFile) -> int:
        on_disk.append(not isinstance(getattr(file.file, "_file", None), io.BytesIO))
        return file.size

    with TestClient(app) as client:
        for more in (0, 1):
            content = form(part("file", b"x" * (size + more), "n"))
            client.post("/", content=content, headers=HEADERS)

    # Who wants nothing in memory has even an empty file on disk.
    assert on_disk == [spool == 0, True]


@pytest.mark.parametrize("name", ["field", "memory", "file"])
def test_a_part_that_is_larger_than_its_body_is_refused_at_start_up(name: str) -> None:
    for size, is_taken in ((1000, True), (1001, False)):
        app = App()

        @app.post("/", max_body=1000, form_limits=cast("FormLimits", {name: size}))
        def keep(file: UploadFile) -> None: ...

        if is_taken:
            app.url_for("keep")
        else:
            with pytest.raises(RoutingError, match=f"allows a {name} of 1001 bytes") as refused:
                app.url_for("keep")
            assert refused.value.remedy == "raise max_body, too"


class Sheet(Struct):
    """Has every way to name a file."""

    name: str
    one: UploadFile
    many: Annotated[list[UploadFile], Meta(max_length=2)]
    perhaps: UploadFile | None
    unsaid: UploadFile | None = None
    several: list[UploadFile] | None = None

    def __post_init__(self) -> None:
        if self.one.size > 3:
            raise Invalid("must be small", "one", code="too-big")


@dataclasses.dataclass
class SheetOfData:
    name: str
    one: UploadFile
    many: list[UploadFile] = dataclasses.field(default_factory=list[UploadFile])


class SheetOfDict(TypedDict):
    name: str
    one: UploadFile


@attrs.define
class SheetOfAttrs:
    name: str
    one: UploadFile


def sheets(kind: Any) -> tuple[App, list[Any]]:
    """An app that takes a form of a class, and what its handler was given."""
    app, seen = App(), list[Any]()

    def take(sheet: Any) -> None:
        seen.append(sheet)

    take.__annotations__["sheet"] = Annotated[kind, Form()]
    app.post("/")(take)
    return app, seen


ONE = part("one", b"123", "1.png")
TWO = part("many", b"1", "a") + part("many", b"2", "b")
NAME = part("name", b"Ada")


@pytest.mark.parametrize("kind", [Sheet, SheetOfData, SheetOfDict, SheetOfAttrs])
def test_a_class_has_files_among_its_fields(kind: Any) -> None:
    app, seen = sheets(kind)
    with TestClient(app) as client:
        assert client.post("/", content=form(NAME, ONE, TWO), headers=HEADERS).status == 204

    sheet: Any = SimpleNamespace(**seen[0]) if kind is SheetOfDict else seen[0]
    assert (sheet.name, sheet.one.filename) == ("Ada", "1.png")
    assert sheet.one.file.closed


def test_what_was_not_sent_is_none_or_the_default() -> None:
    app, seen = sheets(Sheet)
    # A file input that nobody filled in.
    empty = part("perhaps", b"", "") + part("unsaid", b"", "")
    with TestClient(app) as client:
        for more in (b"", empty):
            client.post("/", content=form(NAME, ONE, TWO, more), headers=HEADERS)
        several = part("perhaps", b"4", "4") + part("several", b"5", "5")
        client.post("/", content=form(NAME, ONE, TWO, several), headers=HEADERS)

    assert [(each.perhaps, each.unsaid, each.several) for each in seen[:2]] == [(None,) * 3] * 2
    assert (seen[2].perhaps.filename, seen[2].several[0].filename) == ("4", "5")


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        (
            form(),
            [("name", "missing", None), ("one", "missing", None), ("many", "missing", None)],
        ),
        # Text is no file, whatever its name looks like.
        (
            form(NAME, part("one", b"x"), part("one[a]", b"x"), part("many[0]", b"x")),
            [("one", "missing", None), ("many", "missing", None)],
        ),
        (form(NAME, ONE, ONE, TWO), [("one", "repeated", "1.png")]),
        (form(NAME, ONE, TWO, TWO), [("many", "too-long", '["a","b","a","b"]')]),
        (form(NAME, part("one", b"1234", "n"), TWO), [("one", "too-big", "n")]),
        (form(part("name", b"", "f"), ONE, TWO), [("name", "missing", None)]),
    ],
)
def test_all_that_is_wrong_with_fields_and_files_is_told_at_once(
    sent: bytes, errors: list[tuple[str, str, str | None]]
) -> None:
    app, seen = sheets(Sheet)
    with TestClient(app) as client:
        answer = client.post("/", content=sent, headers=HEADERS)

    assert answer.status == 422
    told = [
        (each["location"][1], each["code"], each.get("input")) for each in answer.json()["errors"]
    ]
    assert told == errors
    assert seen == []


def test_files_of_a_refused_form_are_given_back() -> None:
    descriptors = Path("/proc/self/fd")
    app, _ = sheets(Sheet)
    sent = form(part("one", b"x" * (limits.UPLOAD_IN_MEMORY + 1), "1"))
    with TestClient(app) as client:
        client.post("/", content=sent, headers=HEADERS)
        before = len(list(descriptors.iterdir())) if descriptors.exists() else 0
        for _ in range(5):
            assert client.post("/", content=sent, headers=HEADERS).status == 422
        if before:
            assert len(list(descriptors.iterdir())) <= before + 1


class Nested(Struct):
    sheet: SheetOfData


class Ruled(Struct):
    one: Annotated[UploadFile, Meta(max_length=3)]


class Either(Struct):
    one: UploadFile | str


class Named(Struct):
    files: dict[str, UploadFile]


class OfPydantic(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    one: UploadFile


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Nested, "Nested.sheet is SheetOfData; a field may be UploadFile"),
        (Ruled, "a field may be UploadFile or list[UploadFile], with None or without"),
        (Either, "Either.one is UploadFile | str"),
        (Named, "Named.files is dict"),
        (OfPydantic, "OfPydantic has a file and is of a kind that is made of JSON"),
    ],
)
def test_a_file_where_none_can_stand_is_refused_at_start_up(kind: Any, words: str) -> None:
    app, _ = sheets(kind)
    with pytest.raises(SignatureError) as refused:
        app.url_for("take")

    assert refused.value.code == "binding.text-type"
    assert words in refused.value.message
