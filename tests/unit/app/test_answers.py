"""From values to answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, FileResponse, Html, NotFound, Redirect, Request, Response, Struct
from kingpost.app.answers import AnswerError, Answers
from kingpost.app.calls import start
from kingpost.app.encoding import encoding_of
from kingpost.binding.signature import EMPTY
from kingpost.middleware import Cors, SecurityHeaders
from kingpost.testing import TestClient
from kingpost.types import Place


class Person(Struct):
    name: str


class Markup:
    def __html__(self) -> str:
        return "<b>"


class Plain:
    pass


def answers(returns: Any = EMPTY, status: int = 200) -> Answers:
    return Answers("show", Place("app.py", 3), encoding_of(returns), status)


def sent(value: Any, returns: Any = EMPTY, status: int = 200) -> tuple[int, str, Any]:
    answer = answers(returns, status).answer(value)
    return answer.status, dict(answer.headers).get("content-type", ""), answer.body


@pytest.mark.parametrize(
    ("value", "media_type", "body"),
    [
        ("żółw", "text/plain; charset=utf-8", "żółw".encode()),
        (Html("<p>"), "text/html; charset=utf-8", b"<p>"),
        (Markup(), "text/html; charset=utf-8", b"<b>"),
        (b"\x00", "application/octet-stream", b"\x00"),
        (bytearray(b"a"), "application/octet-stream", b"a"),
        (memoryview(b"a"), "application/octet-stream", b"a"),
        ({"a": 1}, "application/json", b'{"a":1}'),
        ([1, True, None, 1.5], "application/json", b"[1,true,null,1.5]"),
        (Person("Ada"), "application/json", b'{"name":"Ada"}'),
        ({"page": Html("<p>")}, "application/json", b'{"page":"<p>"}'),
    ],
    ids=repr,
)
def test_a_value_is_sent_by_its_type(value: object, media_type: str, body: bytes) -> None:
    assert sent(value) == (200, media_type, body)


def test_every_answer_forbids_guessing_its_type() -> None:
    for value in ("x", None, Response("x"), Response(status=204)):
        fields = answers(None).answer(value).headers
        assert ("x-content-type-options", "nosniff") in fields


def test_nothing_is_an_answer_where_the_annotation_says_so() -> None:
    assert sent(None, None) == (204, "", b"")
    assert sent(None, None, status=202) == (202, "", b"")
    assert sent(None, Person | None) == (200, "application/json", b"null")
    assert sent(None, Any) == (200, "application/json", b"null")
    assert sent(None, object) == (200, "application/json", b"null")


@pytest.mark.parametrize(
    ("value", "returns", "code", "words"),
    [
        (None, EMPTY, "none", "show returned None"),
        (None, Person, "none", "show returned None"),
        (("made", 201), EMPTY, "tuple", "show returned a tuple"),
        (Plain(), EMPTY, "no-json", "show returned what JSON cannot hold"),
        (NotFound("x"), EMPTY, "no-json", "write raise NotFound(…)"),
        ({"x": 1}, Person, "wrong-type", "show returned dict, which is not what it is annotated with"),
        (5, list[Person], "no-json", "int is no list"),
        (5, dict[str, Person], "no-json", "int is no mapping"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(
    value: object, returns: Any, code: str, words: str
) -> None:
    with pytest.raises(AnswerError) as refused:
        answers(returns).answer(value)

    assert refused.value.code == f"answer.{code}"
    assert words in str(refused.value)
    assert "app.py:3" in str(refused.value)


def test_a_coroutine_is_a_forgotten_await() -> None:
    async def forgotten() -> None: ...

    with pytest.raises(AnswerError) as refused:
        answers().answer(forgotten())

    assert refused.value.code == "answer.coroutine"


def test_a_tuple_is_json_where_it_is_annotated() -> None:
    assert sent((1, "a"), tuple[int, str]) == (200, "application/json", b'[1,"a"]')


def test_a_response_says_its_own() -> None:
    response = Response({"a": 1}, status=202, headers={"X-A": "1"}, media_type="application/x+json")
    answer = answers().answer(response)

    assert answer.status == 202
    assert dict(answer.headers) == {
        "content-type": "application/x+json",
        "x-content-type-options": "nosniff",
        "x-a": "1",
    }


def test_a_responses_own_fields_win_and_repeated_ones_stay() -> None:
    response = Response("x", headers={"Content-Type": "text/css"})
    response.set_cookie("a", "1").set_cookie("b", "2")
    answer = answers().answer(response)

    assert [name for name, _ in answer.headers].count("set-cookie") == 2
    assert [value for name, value in answer.headers if name == "content-type"] == ["text/css"]


def test_the_content_of_a_response_is_filtered_as_annotated() -> None:
    class Employee(Person, kw_only=True):
        salary: int = 1

    assert sent(Response(Employee("Ada")), Response[Person])[2] == b'{"name":"Ada"}'


@pytest.mark.parametrize(
    ("items", "returns", "media_type", "chunks"),
    [
        ([b"a", b"b"], EMPTY, "application/octet-stream", [b"a", b"b"]),
        (["a", "b"], EMPTY, "text/plain; charset=utf-8", ["a", "b"]),
        ([Html("<p>")], EMPTY, "text/html; charset=utf-8", ["<p>"]),
        ([Markup(), Markup()], EMPTY, "text/html; charset=utf-8", ["<b>", "<b>"]),
        ([{"a": 1}, 2], EMPTY, "application/x-ndjson", [b'{"a":1}\n', b"2\n"]),
        (["a"], Iterator[bytes], "application/octet-stream", ["a"]),
        ([bytearray(b"a")], EMPTY, "application/octet-stream", [b"a"]),
        ([Person("Ada")], Iterator[Person], "application/x-ndjson", [b'{"name":"Ada"}\n']),
        (["a", 1], Iterator[str | int], "text/plain; charset=utf-8", ["a", b"1\n"]),
    ],
    ids=repr,
)
def test_a_stream_is_sent_by_the_type_of_its_items(
    items: list[Any], returns: Any, media_type: str, chunks: list[Any]
) -> None:
    _, sent_as, body = sent(iter(items), returns)

    assert (sent_as, list(body)) == (media_type, chunks)


def test_an_empty_stream_is_an_empty_answer() -> None:
    assert sent(iter(()), Iterator[bytes]) == (200, "application/octet-stream", b"")
    assert sent(iter(())) == (200, "text/plain; charset=utf-8", b"")


def test_an_async_stream_that_was_not_started_is_named_by_its_annotation() -> None:
    async def items() -> AsyncIterator[Any]:
        yield "a"
        yield 1

    async def collected(returns: Any) -> tuple[str, list[Any]]:
        _, media_type, body = sent(items(), returns)
        return media_type, [chunk async for chunk in body]

    assert asyncio.run(collected(AsyncIterator[str])) == ("text/plain; charset=utf-8", ["a", b"1\n"])  # fmt: skip
    assert asyncio.run(collected(EMPTY))[0] == "application/x-ndjson"


def test_a_stream_that_nobody_reads_to_its_end_is_closed() -> None:
    closed: list[str] = []

    def items() -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append("yes")

    body = answers().answer(start(items())).body
    assert next(body) == "a"
    body.close()

    assert closed == ["yes"]


def test_an_async_stream_that_nobody_reads_to_its_end_is_closed() -> None:
    closed: list[str] = []

    class Items:
        """An iterator without aclose is fine, too."""

        def __aiter__(self) -> Items:
            return self

        async def __anext__(self) -> str:
            return "x"

    async def items() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append("yes")

    async def run() -> None:
        for made in (items(), Items()):
            body = answers().answer(made).body
            await anext(body)
            await body.aclose()

    asyncio.run(run())

    assert closed == ["yes"]


def error_in_stream(make: Callable[[App], object]) -> int:
    app = App()
    make(app)
    with TestClient(app, raise_errors=False) as client:
        return client.get("/").status


def test_a_generator_that_fails_before_its_first_item_is_answered_with_500() -> None:
    def def_(app: App) -> None:
        @app.get("/")
        def rows() -> Iterator[str]:
            raise ValueError
            yield ""

    def async_(app: App) -> None:
        @app.get("/")
        async def rows() -> AsyncIterator[str]:
            raise ValueError
            yield ""

    assert (error_in_stream(def_), error_in_stream(async_)) == (500, 500)


def test_a_response_without_content_may_have_a_type() -> None:
    answer = answers().answer(Response(media_type="text/calendar"))

    assert (dict(answer.headers)["content-type"], answer.body) == ("text/calendar", b"")


def strings() -> Iterator[str]:
    yield "é"


def octets() -> Iterator[bytes]:
    yield b"\xe9"


async def later() -> AsyncIterator[str]:
    yield "é"


@pytest.mark.parametrize("layers", [[], [SecurityHeaders()]], ids=["plain", "middleware"])
@pytest.mark.parametrize(
    ("make", "said", "media_type"),
    [
        (lambda: "é", "text/html", "text/html; charset=utf-8"),
        (lambda: "é", "TEXT/csv;header=present", "TEXT/csv;header=present; charset=utf-8"),
        (lambda: Html("é"), "text/xml", "text/xml; charset=utf-8"),
        (strings, "text/csv", "text/csv; charset=utf-8"),
        (later, "text/csv", "text/csv; charset=utf-8"),
        (lambda: "é", "text/csv; Charset=UTF-8", "text/csv; Charset=UTF-8"),
        (lambda: "é", "image/svg+xml", "image/svg+xml"),
        (lambda: "1", "application/json", "application/json"),
        (lambda: b"\xe9", "text/csv", "text/csv"),
        (octets, "text/csv", "text/csv"),
    ],
)
def test_text_says_that_it_is_utf_8(
    make: Callable[[], Any], said: str, media_type: str, layers: Any
) -> None:
    def show() -> Any:
        return Response(make(), media_type=said)

    app = App(middleware=layers)
    # Only an annotation tells what an async stream will give.
    show.__annotations__["return"] = Response[AsyncIterator[str]] if make is later else Response
    app.get("/")(show)

    with TestClient(app) as client:
        assert client.get("/").headers["content-type"] == media_type


@pytest.mark.parametrize("said", ["é", "text/plain\r\nx: y", "a\0"])
def test_a_media_type_is_checked_as_any_field(said: str) -> None:
    with pytest.raises(ValueError, match="header 'content-type': the value holds"):
        Response("x", media_type=said)
    late = Response("x")
    late.media_type = said
    for make in (answers().answer, answers().respond):
        with pytest.raises(ValueError, match="header 'content-type': the value holds"):
            make(late)


def sharing(*, layers: Any) -> tuple[App, Response[str]]:
    """An App whose handler sends one response to everybody, with a cookie where the query has one."""
    app, shared = App(middleware=layers), Response("hello")

    @app.get("/")
    def _show(request: Request) -> Any:
        if "user" in request.query:
            shared.set_cookie("user", request.query["user"])
        return shared

    return app, shared


@pytest.mark.parametrize("layers", [[], [SecurityHeaders()]], ids=["plain", "middleware"])
def test_a_cookie_goes_to_nobody_else(layers: Any) -> None:
    app, _ = sharing(layers=layers)

    with TestClient(app) as client:
        assert client.get("/?user=ada").headers["set-cookie"].startswith("user=ada;")
        for query in ("", "?user=bob"):
            with pytest.raises(RuntimeError, match=r"was sent already.*make a new Response"):
                client.get(f"/{query}")


@pytest.mark.parametrize("layers", [[], [SecurityHeaders()]], ids=["plain", "middleware"])
def test_a_cookie_on_what_middleware_has_kept_goes_to_nobody_else(layers: Any) -> None:
    kept: list[Response[Any]] = []

    async def keep(request: Request, call_next: Any) -> Response[Any]:
        if not kept:
            response: Response[Any] = await call_next(request)
            kept.append(response.set_cookie("user", "ada"))
        return kept[0]

    app = App(middleware=[*layers, keep])
    app.get("/")(lambda: "hello")

    with TestClient(app) as client:
        assert client.get("/").headers["set-cookie"].startswith("user=ada;")
        with pytest.raises(RuntimeError, match=r"was sent already.*make a new Response"):
            client.get("/")


@pytest.mark.parametrize("layers", [[], [SecurityHeaders()]], ids=["plain", "middleware"])
def test_a_cookie_cannot_be_put_on_what_was_sent(layers: Any) -> None:
    app, shared = sharing(layers=layers)

    with TestClient(app) as client:
        first, again = client.get("/"), client.get("/")
        with pytest.raises(RuntimeError, match="'set-cookie' of a response that was sent already"):
            client.get("/?user=ada")
        assert "set-cookie" not in client.get("/").headers

    assert (first.text, again.text) == ("hello", "hello")
    assert first.headers.get("x-frame-options") == again.headers.get("x-frame-options")
    assert "x-frame-options" not in shared.headers
    changes: list[Callable[[], None]] = [
        lambda: shared.headers.add("x", "1"),
        lambda: shared.headers.update(x="1"),
        lambda: shared.headers.fill([("x", "1")]),
    ]
    for change in changes:
        with pytest.raises(RuntimeError, match="header 'x' of a response that was sent already"):
            change()


@pytest.mark.parametrize("kind", ["text", "body", "file"])
def test_middleware_changes_nothing_of_what_is_kept(kind: str, tmp_path: Path) -> None:
    """Whatever its body is made of: the fields of one visitor's answer are not the next one's."""
    (tmp_path / "a.txt").write_text("hello")
    kept: Response[Any] = FileResponse(tmp_path / "a.txt") if kind == "file" else Response("hello")
    if kind == "body":
        kept.body = b"hello"
    app = App(middleware=[Cors(origins=["https://a.example", "https://b.example"])])

    @app.get("/")
    def show() -> Any:
        return kept

    with TestClient(app) as client:
        for origin in ("https://a.example", "https://b.example"):
            answer = client.get("/", headers={"origin": origin})
            assert answer.text == "hello"
            assert answer.headers["access-control-allow-origin"] == origin

    assert "access-control-allow-origin" not in kept.headers


def test_middleware_changes_what_is_sent_and_not_what_is_kept() -> None:
    async def shout(request: Request, call_next: Any) -> Response[Any]:
        response: Response[Any] = await call_next(request)
        if "loud" in request.query:
            response.body = b"HELLO"
            response.headers["x-loud"] = "1"
        return response

    app, _ = sharing(layers=[shout])

    with TestClient(app) as client:
        loud, plain = client.get("/?loud=1"), client.get("/")

    assert (loud.text, loud.headers["x-loud"]) == ("HELLO", "1")
    assert plain.text == "hello"
    assert "x-loud" not in plain.headers


def test_a_stream_in_place_of_a_plain_body_keeps_its_fields() -> None:
    async def twice(request: Request, call_next: Any) -> Response[Any]:
        response: Response[Any] = await call_next(request)
        response.chunks = iter([response.body or b""] * 2)
        return response

    app = App(middleware=[twice])
    app.get("/")(lambda: "<p>")

    with TestClient(app) as client:
        found = client.get("/")

    assert found.text == "<p><p>"
    assert found.headers["content-type"] == "text/plain; charset=utf-8"
    assert found.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("layers", [[], [SecurityHeaders()]], ids=["plain", "middleware"])
def test_what_is_the_same_for_all_may_be_sent_for_ever(layers: Any) -> None:
    app = App(middleware=layers)
    gone = Response("bye").delete_cookie("user")
    away = Redirect("/gone")
    app.add_route("/theme", Response("dark").set_cookie("theme", "dark"))
    app.get("/gone")(lambda: gone)
    app.get("/away")(lambda: away)

    with TestClient(app, follow_redirects=False) as client:
        for _ in range(3):
            assert client.get("/theme").headers["set-cookie"].startswith("theme=dark;")
            assert client.get("/gone").headers["set-cookie"].startswith("user=;")
            assert client.get("/away").headers["location"] == "/gone"
