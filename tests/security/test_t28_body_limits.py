"""T28: a body has a limit whatever the handler asks for, and what a client says of itself costs no memory."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import pytest

from kingpost import App, BodyStream, Form, HTTPError, MultipartStream, Request, UploadFile
from kingpost.routing import FormLimits
from tests.security.rig import (
    SHELLS,
    Rig,
    first_answers,
    is_ended,
    read_answers,
    send,
    send_until_full,
    serving,
    talk,
)
from tests.waiting import PATIENCE, until

LIMIT = 1_048_576
FIELD = 524_288


OWN: FormLimits = {"fields": 4, "files": 3, "field": 1000, "memory": 2000, "file": "300 KB"}


def make_app() -> App:
    app = App()

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(request.body)

    @app.post("/raw-def")
    def raw_def(request: Request) -> int:
        return len(request.body)

    @app.post("/untouched")
    async def untouched() -> str:
        return "no body wanted"

    @app.post("/typed")
    async def typed(value: dict[str, str]) -> int:
        return len(value)

    @app.post("/stream")
    async def stream(body: BodyStream) -> int:
        total = 0
        async for chunk in body:
            total += len(chunk)
        return total

    @app.post("/stream-def")
    def stream_def(body: BodyStream) -> int:
        return sum(len(chunk) for chunk in body)

    @app.post("/small", max_body=10)
    async def small(request: Request) -> int:
        return len(request.body)

    @app.post("/small-stream", max_body=10)
    async def small_stream(body: BodyStream) -> int:
        total = 0
        async for chunk in body:
            total += len(chunk)
        return total

    @app.post("/catches", max_body=10)
    async def catches(body: BodyStream) -> str:
        try:
            async for _ in body:
                pass
        except HTTPError as error:
            return f"{error.status} {error.code}"
        return "complete"

    @app.post("/form", max_body="2 MiB")
    async def form(note: Annotated[str, Form()] = "", *, files: list[UploadFile] = []) -> str:  # noqa: B006 - it is copied
        return f"{len(note)} {[each.size for each in files]}"

    @app.post("/form-def", max_body="2 MiB")
    def form_def(note: Annotated[str, Form()] = "", *, files: list[UploadFile] = []) -> str:  # noqa: B006 - it is copied
        return f"{len(note)} {[each.size for each in files]}"

    @app.post("/parts", max_body="2 MiB")
    async def parts(parts: MultipartStream) -> str:
        sizes = [sum([len(chunk) async for chunk in part]) async for part in parts]
        return f"{sizes}"

    @app.post("/parts-def", max_body="2 MiB")
    def parts_def(parts: MultipartStream) -> str:
        return f"{[sum(map(len, part)) for part in parts]}"

    @app.post("/own", form_limits=OWN)
    async def own(note: Annotated[str, Form()] = "", *, files: list[UploadFile] = []) -> str:  # noqa: B006 - it is copied
        return f"{len(note)} {[each.size for each in files]}"

    @app.post("/own-def", form_limits=OWN)
    def own_def(note: Annotated[str, Form()] = "", *, files: list[UploadFile] = []) -> str:  # noqa: B006 - it is copied
        return f"{len(note)} {[each.size for each in files]}"

    @app.post("/own-parts", form_limits=OWN)
    async def own_parts(parts: MultipartStream) -> str:
        sizes = [sum([len(chunk) async for chunk in part]) async for part in parts]
        return f"{sizes}"

    return app


@pytest.fixture(scope="module", params=SHELLS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with serving(make_app(), driver=request.param) as rig:
        yield rig
        rig.until_idle()


def post(
    path: str, size: int, *, chunked: bool, media_type: str = "application/octet-stream"
) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {media_type}\r\n"
    body = b"x" * size
    if not chunked:
        return f"{head}content-length: {size}\r\n\r\n".encode() + body
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(piece), piece)
        for piece in (body[start : start + 100_000] for start in range(0, size, 100_000))
    )
    return f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/raw", "/raw-def", "/stream", "/stream-def"])
def test_a_body_at_its_limit_passes_and_a_byte_more_does_not(
    rig: Rig, path: str, chunked: bool
) -> None:
    (answer,) = rig.ask(post(path, LIMIT, chunked=chunked))
    assert (answer.status, answer.body) == (200, str(LIMIT).encode())
    (answer,) = rig.ask(post(path, LIMIT + 1, chunked=chunked))
    assert answer.status == 413
    assert answer.code == "http.body-too-large"
    assert answer.get("connection") == "close"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/small", "/small-stream"])
def test_the_limit_of_a_route_holds(rig: Rig, path: str, chunked: bool) -> None:
    assert rig.ask(post(path, 10, chunked=chunked))[0].body == b"10"
    assert rig.ask(post(path, 11, chunked=chunked))[0].status == 413


@pytest.mark.parametrize("path", ["/untouched", "/typed"])
def test_a_body_that_nobody_asked_for_as_bytes_is_limited_too(rig: Rig, path: str) -> None:
    (answer,) = rig.ask(post(path, LIMIT + 1, chunked=True, media_type="application/json"))
    assert answer.status == 413


def test_a_handler_that_catches_the_refusal_may_answer_and_the_connection_ends(rig: Rig) -> None:
    answers = rig.ask(post("/catches", 11, chunked=False) + post("/small", 1, chunked=False))
    assert [answer.body for answer in answers] == [b"413 http.body-too-large"]
    assert answers[0].get("connection") == "close"


def test_a_length_beyond_all_numbers_is_refused_at_once(rig: Rig) -> None:
    for length in ("18446744073709551615", "18446744073709551616", "9" * 40):
        head = f"POST /raw HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"
        (answer,) = rig.ask(head.encode(), end=False)
        assert answer.status in (400, 413)
    for size in ("7fffffffffffffff", "ffffffffffffffff", "1" + "0" * 16):
        head = f"POST /raw HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{size}\r\n"
        (answer,) = rig.ask(head.encode(), end=False)
        assert answer.status in (400, 413)


def test_what_is_announced_and_not_sent_costs_no_memory(rig: Rig) -> None:
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    connections = [rig.connect() for _ in range(200)]
    for number, connection in enumerate(connections):
        path = "/raw" if number % 2 else "/stream"
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {LIMIT}\r\n\r\nx".encode()
        )
    until(lambda: rig.server.connections == 200)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    for connection in connections:
        connection.close()
    # 200 MiB were announced.
    assert grown < 40_000, f"{grown} KiB"
    rig.until_idle()


def test_a_stream_that_nobody_reads_is_not_read_from_the_client() -> None:
    app = App()
    gate: list[Any] = []

    @app.post("/", max_body=1 << 30)
    async def wait(body: BodyStream) -> str:
        import asyncio

        gate.append(asyncio.get_running_loop())
        event = asyncio.Event()
        gate.append(event)
        await event.wait()
        return "done"

    with serving(app) as rig, rig.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n")
        # What the system's own buffers take, and little more.
        assert send_until_full(connection, b"x" * 1_000_000) < 20_000_000
        gate[0].call_soon_threadsafe(gate[1].set)
        (answer,) = first_answers(connection)
        assert (answer.body, answer.get("connection")) == (b"done", "close")
        assert is_ended(connection)


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--x\r\ncontent-disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def chunked_form(path: str, body: bytes) -> bytes:
    """A form whose last chunk is still to come."""
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=x\r\ntransfer-encoding: chunked\r\n\r\n"
    chunks = (body[at : at + 60_000] for at in range(0, len(body), 60_000))
    return head.encode() + b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks)


FORMS = {
    "a field": (lambda more: part("note", b"n" * (FIELD + more)), 413, "form.field-too-large"),
    # A file may have as much as its body.
    "a file": (
        lambda more: part("files", b"f" * (2 * LIMIT - 200 + 201 * more), "f"),
        413,
        "http.body-too-large",
    ),
    "files": (lambda more: part("files", b"f", "f") * (100 + more), 400, "form.too-many-files"),
}


@pytest.mark.parametrize("path", ["/form", "/form-def", "/parts", "/parts-def"])
@pytest.mark.parametrize("what", FORMS)
def test_a_form_beyond_a_limit_is_refused_while_its_body_is_open(
    rig: Rig, path: str, what: str
) -> None:
    check_refused_early(rig, path, *FORMS[what])


Made = Callable[[int], bytes]
OWN_FORMS: Mapping[str, tuple[Made, int, str]] = {
    "fields": (lambda more: part("other", b"o") * (4 + more), 400, "form.too-many-fields"),
    "files": (lambda more: part("files", b"f", "f") * (3 + more), 400, "form.too-many-files"),
    "a field": (lambda more: part("note", b"n" * (1000 + more)), 413, "form.field-too-large"),
    "all fields": (
        lambda more: part("a", b"n" * 1000) + part("b", b"n" * 999) + part("c", b"n" * (1 + more)),
        413,
        "form.too-large",
    ),
    "a file": (
        lambda more: part("files", b"f" * (300_000 + more), "f"),
        413,
        "form.file-too-large",
    ),
}


@pytest.mark.parametrize("path", ["/own", "/own-def", "/own-parts"])
@pytest.mark.parametrize("what", OWN_FORMS)
def test_the_limits_of_a_routes_forms_hold_while_the_body_is_open(
    rig: Rig, path: str, what: str
) -> None:
    check_refused_early(rig, path, *OWN_FORMS[what])


def check_refused_early(rig: Rig, path: str, made: Made, status: int, code: str) -> None:
    """A form at its limit passes, and one past it is refused although its end never comes."""
    with rig.connect() as connection:
        connection.sendall(chunked_form(path, made(0)))
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(PATIENCE)
        (answer,) = read_answers(talk(connection, b"7\r\n--x--\r\n\r\n0\r\n\r\n"))
        assert answer.status == 200
    # Neither the last boundary nor the last chunk ever comes.
    with rig.connect() as connection:
        send(connection, chunked_form(path, made(1)))
        (answer,) = first_answers(connection)
    assert (answer.status, answer.code) == (status, code)
