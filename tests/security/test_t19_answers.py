"""T19 and response splitting: what handlers return cannot break the framing of what is sent."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from kingpost import App, Html, Redirect, Request, Response, _native
from kingpost.testing import TestClient
from tests.security.rig import SHELLS, Driver, Incomplete, PlainService, Rig, read_answers, serving
from tests.waiting import until

Answer = _native.Answer

# Every character that could end a line or a field, as text and in the disguises of which ISO 8859-1 or a
# careless encoder would make one.
ENDING = [
    "\r\nx: y",
    "\nx: y",
    "\rx: y",
    "\0",
    "\x0b",
    "\x0c",
    "\x1f",
    "\x7f",
    "\u560a",
    "\u560d",
    "č\u010a",
    "\u2028",
    "\ud800",
]


def bodies() -> dict[str, Callable[[Any], Any]]:
    async def some(*chunks: bytes | str) -> AsyncIterator[bytes | str]:
        for chunk in chunks:
            yield chunk

    def plain(*chunks: bytes | str) -> Iterator[bytes | str]:
        yield from chunks

    return {
        "/short": lambda _: Answer(200, [], plain(b"abc"), 5),
        "/long": lambda _: Answer(200, [], plain(b"abc", b"def"), 5),
        "/long-at-once": lambda _: Answer(200, [], plain(b"abcdef"), 5),
        "/right": lambda _: Answer(200, [], plain(b"ab", b"", b"cde"), 5),
        "/short-async": lambda _: Answer(200, [], some(b"abc"), 5),
        "/long-async": lambda _: Answer(200, [], some(b"abc", b"def"), 5),
        "/right-async": lambda _: Answer(200, [], some(b"ab", b"", b"cde"), 5),
        "/empty-chunks": lambda _: Answer(200, [], plain(b"", b"a", b"", b"b", b"")),
        "/204": lambda _: Answer(204, [], b"a body"),
        "/205": lambda _: Answer(205, [], b"a body"),
        "/304": lambda _: Answer(304, [], b"a body"),
        "/204-chunks": lambda _: Answer(204, [], plain(b"a", b"body")),
        "/304-chunks": lambda _: Answer(304, [], plain(b"a", b"body")),
        "/204-length": lambda _: Answer(204, [], plain(b"a", b"body"), 5),
        "/whole": lambda _: Answer(200, [], b"whole"),
        "/chunks": lambda _: Answer(200, [], plain(b"who", b"le")),
        "/chunks-async": lambda _: Answer(200, [], some(b"who", b"le")),
    }


@contextlib.contextmanager
def serving_bodies(driver: Driver) -> Iterator[Rig]:
    routes: list[Any] = [(path, "inline", ["GET"], handler) for path, handler in bodies().items()]
    with serving(PlainService(routes, encoder="answer"), driver=driver) as rig:
        yield rig
        rig.until_idle()


@pytest.fixture(scope="module", params=SHELLS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with serving_bodies(request.param) as rig:
        yield rig


def ask_twice(rig: Rig, path: str, method: str = "GET") -> bytes:
    first = f"{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
    return rig.talk(first + b"GET /whole HTTP/1.1\r\nhost: a\r\n\r\n")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of a wrong length: a machine that is held up gets others besides."""
    said = "an answer was not as long as its head had said; its connection was"
    return [message for message in caplog.messages if message.startswith(said)]


@pytest.mark.parametrize("driver", SHELLS)
@pytest.mark.parametrize(
    "path", ["/short", "/long", "/long-at-once", "/short-async", "/long-async"]
)
def test_a_length_that_was_wrong_ends_the_connection(
    driver: Driver, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    # A server of its own for each: it gives each kind of warning once a second at most.
    with caplog.at_level(logging.WARNING, "kingpost.server"), serving_bodies(driver) as rig:
        data = ask_twice(rig, path)
        until(lambda: told(caplog))
    assert len(told(caplog)) == 1
    # It is seen as incomplete, and the next answer is never taken for its rest.
    assert data.count(b"HTTP/1.1") == 1
    assert b"whole" not in data
    if path.startswith("/long"):
        _, _, body = data.partition(b"\r\n\r\n")
        assert len(body) < 5 or path == "/long"
    with pytest.raises(Incomplete):
        read_answers(data)


@pytest.mark.parametrize("path", ["/right", "/right-async"])
def test_a_length_that_was_right_keeps_the_connection(rig: Rig, path: str) -> None:
    first, second = read_answers(ask_twice(rig, path))
    assert (first.body, second.body) == (b"abcde", b"whole")


def test_an_empty_chunk_does_not_end_the_body(rig: Rig) -> None:
    first, second = read_answers(ask_twice(rig, "/empty-chunks"))
    assert (first.body, second.body) == (b"ab", b"whole")


@pytest.mark.parametrize(
    "path", ["/204", "/304", "/204-chunks", "/304-chunks", "/204-length", "/205"]
)
def test_a_status_without_body_has_none_whatever_the_handler_gave(rig: Rig, path: str) -> None:
    first, second = read_answers(ask_twice(rig, path))
    assert first.status == int(path[1:4])
    assert first.body == b""
    assert second.body == b"whole"


@pytest.mark.parametrize("path", list(bodies()))
def test_the_answer_to_head_has_no_body(rig: Rig, path: str) -> None:
    first, second = read_answers(ask_twice(rig, path, "HEAD"), ["HEAD", "GET"])
    assert first.body == b""
    assert second.body == b"whole"


@pytest.mark.parametrize("path", ["/chunks", "/chunks-async", "/whole"])
def test_an_old_client_gets_no_chunks(rig: Rig, path: str) -> None:
    data = rig.talk(f"GET {path} HTTP/1.0\r\n\r\n".encode(), end=False)
    (answer,) = read_answers(data)
    assert answer.get("transfer-encoding") is None
    assert answer.body == b"whole"


@pytest.mark.parametrize("ending", ENDING)
def test_what_ends_a_line_is_refused_where_it_is_written(ending: str) -> None:
    for make in (
        lambda: Response("", headers={"x-a": f"a{ending}"}),
        lambda: Response("", headers={f"x-a{ending}": "a"}),
        lambda: Response("", headers=[("location", f"/{ending}")]),
        lambda: Response("").headers.add("x-a", ending),
        lambda: Response("").headers.update({"x-a": f"{ending}a"}),
        lambda: Response("").set_cookie("a", f"b{ending}"),
        lambda: Response("").set_cookie(f"a{ending}", "b"),
        lambda: Response("").set_cookie("a", "b", path=f"/{ending}"),
        lambda: Response("").set_cookie("a", "b", domain=f"a{ending}.example"),
        lambda: Answer(200, [("x-a", f"a{ending}b")], b""),
        lambda: Answer(200, [(f"x-a{ending}b", "a")], b""),
    ):
        with pytest.raises((ValueError, UnicodeError)):
            make()


@pytest.mark.parametrize("byte", range(256))
def test_no_byte_in_a_field_can_begin_another(byte: int) -> None:
    character = chr(byte)
    for name, value in [("x-a", f"b{character}x-evil: 1"), (f"x-a{character}x-evil", "1")]:
        try:
            answer = Answer(200, [(name, value)], b"")
        except ValueError:
            continue
        assert [known for known, _ in answer.headers] == [name]


@pytest.mark.parametrize(
    "name",
    [
        "content-length",
        "Transfer-Encoding",
        "connection",
        "date",
        "Keep-Alive",
        "upgrade",
        "trailer",
    ],
)
def test_the_servers_own_fields_cannot_be_set(name: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)header"):
        Response("", headers={name: "5"})
    with pytest.raises(ValueError, match=r"(?i)field"):
        Answer(200, [(name, "5")], b"")


def hostile_app() -> App:
    app = App()

    @app.get("/redirect", inline=True)
    def redirect(request: Request) -> Redirect:
        return Redirect(request.query["to"], external=True)

    @app.get("/header", inline=True)
    def header(request: Request) -> Response[str]:
        return Response("", headers={"x-echo": request.query["value"]})

    @app.get("/cookie", inline=True)
    def cookie(request: Request) -> Response[str]:
        return Response("").set_cookie("echo", request.query["value"])

    @app.get("/type", inline=True)
    def media_type(request: Request) -> Response[str]:
        return Response("", media_type=request.query["value"])

    return app


@pytest.mark.parametrize(
    "value",
    [
        "%0d%0ax-evil:1",
        "%0ax-evil:1",
        "%0dx-evil:1",
        "%00",
        "%E5%98%8A%E5%98%8Dx-evil:1",
        "%C4%8D%C4%8Ax-evil:1",
    ],
)
@pytest.mark.parametrize(
    "path", ["/header?value=", "/cookie?value=", "/type?value=", "/redirect?to=/"]
)
def test_a_response_cannot_be_split_by_what_a_client_sends(path: str, value: str) -> None:
    with serving(hostile_app()) as rig:
        (answer,) = rig.ask(f"GET {path}a{value} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
    assert all(name != "x-evil" for name, _ in answer.fields)
    assert answer.status in (307, 303, 302, 400, 500)


def test_the_author_of_a_bad_field_is_told_in_the_test() -> None:
    with TestClient(hostile_app()) as client:
        with pytest.raises(ValueError, match="x-echo"):
            client.get("/header", params={"value": "a\r\nb"})
        with pytest.raises(ValueError, match="echo"):
            client.get("/cookie", params={"value": "a\r\nb"})
        with pytest.raises(ValueError, match="content-type"):
            client.get("/type", params={"value": "a\r\nb"})


def test_text_that_no_encoding_carries_is_an_error_and_no_broken_answer() -> None:
    app = App()
    lone = "a\ud800b"

    @app.get("/text", inline=True)
    def text() -> str:
        return lone

    @app.get("/text-async")
    async def text_async() -> str:
        return lone

    @app.get("/text-def")
    def text_def() -> str:
        return lone

    @app.get("/untyped", inline=True)
    def untyped():  # type: ignore[no-untyped-def]  # noqa: ANN202 - that is its point
        return lone

    @app.get("/html", inline=True)
    def html() -> Html:
        return Html(lone)

    @app.get("/json", inline=True)
    def json() -> dict[str, str]:
        return {"a": lone}

    @app.get("/response", inline=True)
    def response() -> Response[str]:
        return Response(lone)

    @app.get("/stream")
    def stream() -> Iterator[str]:
        yield "good"
        yield lone

    @app.get("/stream-async")
    async def stream_async() -> AsyncIterator[str]:
        yield "good"
        yield lone

    @app.get("/first")
    def first() -> Iterator[str]:
        yield lone

    with serving(app) as rig:
        for path in (
            "/text",
            "/text-async",
            "/text-def",
            "/untyped",
            "/html",
            "/json",
            "/response",
        ):
            assert rig.get(path).status == 500, path
        for path in ("/stream", "/stream-async", "/first"):
            data = rig.talk(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode(), end=False)
            with pytest.raises(Incomplete):
                read_answers(data)
        rig.until_idle()


def test_date_and_request_id_stand_once_in_every_answer(rig: Rig) -> None:
    for path in ("/whole", "/chunks", "/204", "/nowhere"):
        (answer,) = rig.ask(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        assert re.fullmatch(
            r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", answer.get("date") or ""
        )
        assert re.fullmatch(r"[0-9a-f]{16}", answer.get("x-request-id") or "")
