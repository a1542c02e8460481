"""From values to answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from kingpost import App, Html, Response, Struct
from kingpost.app.answers import AnswerError, Answers
from kingpost.app.calls import start
from kingpost.app.encoding import encoding_of
from kingpost.binding.signature import EMPTY
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


@pytest.mark.parametrize(
    ("value", "returns", "code", "words"),
    [
        (None, EMPTY, "none", "show returned None"),
        (None, Person, "none", "show returned None"),
        (("made", 201), EMPTY, "tuple", "show returned a tuple"),
        (Plain(), EMPTY, "no-json", "show returned what JSON cannot hold"),
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
