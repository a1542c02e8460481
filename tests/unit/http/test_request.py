"""What a request says, parsed when it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost import limits
from kingpost.errors import BadRequest, ContentTooLarge, HTTPError, UnsupportedMediaType
from kingpost.http import MultiDict, Request
from tests.unit.http.sample import sample

JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def test_the_query_gives_first_values_and_all_values() -> None:
    query = sample(query=b"tag=a&tag=b&page=2").query

    assert (query["tag"], query.get_all("tag"), query.get("page")) == ("a", ["a", "b"], "2")


def test_the_query_is_parsed_once() -> None:
    request = sample(query=b"a=1")

    assert request.query is request.query


def test_a_query_at_the_limit_is_taken_and_one_past_it_is_refused() -> None:
    at_limit = b"&".join([b"a=1"] * limits.QUERY_PAIRS)

    assert len(sample(query=at_limit).query.get_all("a")) == limits.QUERY_PAIRS
    with pytest.raises(BadRequest) as caught:
        _ = sample(query=at_limit + b"&a=1").query
    assert caught.value.code == "query.too-many-pairs"


def test_cookies_of_several_fields_are_one_mapping() -> None:
    request = sample(headers=[("Cookie", "a=1; b=2"), ("Cookie", "c=3")])

    assert dict(request.cookies) == {"a": "1", "b": "2", "c": "3"}


def test_text_is_utf_8_unless_the_content_type_says_otherwise() -> None:
    assert sample(body="zażółć".encode()).text() == "zażółć"
    assert (
        sample(headers=[("Content-Type", "text/plain; charset=ISO-8859-1")], body=b"\xe9").text()
        == "é"
    )


@pytest.mark.parametrize("charset", ["idna", "punycode", "rot13", "zip", "utf-7", "x" * 500, ""])
def test_a_charset_that_is_slow_or_no_text_is_refused(charset: str) -> None:
    request = sample(headers=[("Content-Type", f'text/plain; charset="{charset}"')], body=b"x")

    with pytest.raises(UnsupportedMediaType) as caught:
        request.text()
    assert caught.value.code == "text.unknown-charset"
    assert len(caught.value.detail) < 100


def test_bytes_that_are_not_of_the_charset_are_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        sample(body=b"\xff").text()
    assert caught.value.code == "text.malformed"


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json; x=y"])
def test_json_is_decoded(content_type: str) -> None:
    request = sample(headers=[("Content-Type", content_type)], body=b'{"a":[1,2.5,null,true]}')

    assert request.json() == {"a": [1, 2.5, None, True]}
    assert request.json() is request.json()


def test_json_null_is_a_value() -> None:
    request = sample(headers=[JSON], body=b"null")

    assert request.json() is None
    assert request.json() is None


@pytest.mark.parametrize(
    "headers",
    [[], [("Content-Type", "text/plain")], [FORM], [("Content-Type", "json")]],
)
def test_json_without_its_content_type_is_refused(headers: list[tuple[str, str]]) -> None:
    """A form or a fetch of another site can send these without asking (FastAPI CVE-2021-32677)."""
    with pytest.raises(UnsupportedMediaType) as caught:
        sample(headers=headers, body=b"{}").json()
    assert caught.value.code == "json.wrong-content-type"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json.empty"),
        (b"{", "json.malformed"),
        (b"nope", "json.malformed"),
        (b"NaN", "json.malformed"),
        (b'{"a":1,}', "json.malformed"),
        (b'"\xff"', "json.malformed"),
        (b'"\\ud800"', "json.malformed"),
        (b"1" * 4301, "json.number-too-long"),
        (b"[" * 65 + b"]" * 65, "json.too-deep"),
        (b"[" * 100_000, "json.too-deep"),
    ],
)
def test_bad_json_is_the_clients_mistake(body: bytes, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        sample(headers=[JSON], body=body).json()
    assert caught.value.code == code


def test_a_form_is_decoded() -> None:
    form = sample(headers=[FORM], body=b"name=Ann+Lee&tag=a&tag=%C3%A9").form()

    assert form == MultiDict([("name", "Ann Lee"), ("tag", "a"), ("tag", "é")])


def test_an_empty_form_is_empty() -> None:
    assert len(sample(headers=[FORM]).form()) == 0


@pytest.mark.parametrize("headers", [[], [JSON], [("Content-Type", "multipart/mixed")]])
def test_a_body_that_is_no_form_is_refused(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        sample(headers=headers, body=b"a=1").form()
    assert caught.value.code == "form.wrong-content-type"


def test_a_form_at_its_size_is_taken_and_one_byte_more_is_refused() -> None:
    at_limit = b"a=" + b"x" * (limits.FORM_BYTES - 2)

    assert len(sample(headers=[FORM], body=at_limit).form()["a"]) == limits.FORM_BYTES - 2
    with pytest.raises(ContentTooLarge) as caught:
        sample(headers=[FORM], body=at_limit + b"x").form()
    assert caught.value.code == "form.too-large"


def test_a_form_with_all_its_fields_is_taken_and_one_more_is_refused() -> None:
    at_limit = b"&".join([b"a=1"] * limits.FORM_FIELDS)

    assert len(sample(headers=[FORM], body=at_limit).form().pairs()) == limits.FORM_FIELDS
    with pytest.raises(BadRequest) as caught:
        sample(headers=[FORM], body=at_limit + b"&a=1").form()
    assert caught.value.code == "form.too-many-fields"


def test_url_for_asks_the_app_that_serves_the_request() -> None:
    asked: list[Any] = []

    class Dispatch:
        def url_for(
            self, request: Request, name: str, *, absolute: bool, params: dict[str, object]
        ) -> str:
            asked.append((request, name, absolute, params))
            return "/todos/3"

    request = sample(dispatch=Dispatch())

    assert request.url_for(".show", id=3) == "/todos/3"
    assert asked == [(request, ".show", False, {"id": 3})]


def test_a_refusal_repeats_only_the_beginning_of_what_was_sent() -> None:
    with pytest.raises(HTTPError) as caught:
        sample(headers=[("Content-Type", "x/" + "y" * 900)], body=b"{}").json()
    assert len(caught.value.detail) < 200


def test_the_repr_shows_the_path_quoted() -> None:
    request = sample(path="/a\n\x1b[31m", method="GET")

    assert repr(request) == "<Request GET '/a\\n\\x1b[31m'>"
