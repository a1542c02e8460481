"""Header fields of a response."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost.http import ResponseHeaders


def test_names_compare_without_case() -> None:
    headers = ResponseHeaders({"X-App": "notes"})

    assert (headers["x-app"], headers["X-APP"], "x-App" in headers) == ("notes", "notes", True)


def test_setting_replaces_every_field_of_the_name_in_place() -> None:
    headers = ResponseHeaders([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4")])

    headers["A"] = "5"

    assert headers.pairs() == [("a", "5"), ("b", "2"), ("c", "4")]


def test_adding_keeps_what_is_there() -> None:
    headers = ResponseHeaders({"vary": "cookie"})

    headers.add("Vary", "accept")

    assert headers.get_all("vary") == ["cookie", "accept"]
    assert (headers["vary"], len(headers), list(headers)) == ("cookie", 1, ["vary"])


def test_deleting_takes_every_field_of_the_name() -> None:
    headers = ResponseHeaders([("a", "1"), ("A", "2"), ("b", "3")])

    del headers["A"]

    assert headers.pairs() == [("b", "3")]


def test_a_missing_name_is_a_key_error() -> None:
    headers = ResponseHeaders()

    with pytest.raises(KeyError, match="X-None"):
        _ = headers["X-None"]
    with pytest.raises(KeyError, match="X-None"):
        del headers["X-None"]


def test_a_copy_is_independent() -> None:
    first = ResponseHeaders({"a": "1"})
    second = ResponseHeaders(first)

    second["a"] = "2"

    assert first["a"] == "1"


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    assert ResponseHeaders({"a": " \t1 2\t "})["a"] == "1 2"


@pytest.mark.parametrize("bad", ["\r", "\n", "\r\n", "\0", "\x1b", "\x7f", "\x0b", "é", "\u2028"])
def test_a_value_that_could_end_its_line_is_refused_by_name(bad: str) -> None:
    with pytest.raises(ValueError, match="header 'X-Name': the value holds"):
        ResponseHeaders({"X-Name": f"a{bad}Set-Cookie: b=c"})


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "é", "a\0", "(a)", "a,b"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="header name"):
        ResponseHeaders({name: "1"})


@pytest.mark.parametrize(
    "name",
    [
        "Content-Length",
        "transfer-encoding",
        "Connection",
        "DATE",
        "keep-alive",
        "upgrade",
        "trailer",
    ],
)
def test_fields_of_the_server_are_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ValueError, match=f"header '{name}' is not yours to set: the server"):
        ResponseHeaders({name: "1"})


@pytest.mark.parametrize("value", [5, None, b"x", True])
def test_a_value_that_is_no_text_is_refused_with_the_remedy(value: Any) -> None:
    headers = ResponseHeaders()

    with pytest.raises(TypeError, match=r"write headers\['x-count'\] = str\(value\)"):
        headers["x-count"] = value


def test_the_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(ValueError, match="header") as caught:
        ResponseHeaders({"authorization": "secret\n"})
    assert "secret" not in str(caught.value)


def test_it_is_a_mapping() -> None:
    headers = ResponseHeaders({"a": "1"})

    headers.setdefault("b", "2")
    headers.update({"C": "3"})

    assert dict(headers) == {"a": "1", "b": "2", "c": "3"}
    assert headers.pop("c") == "3"
    assert repr(headers) == "ResponseHeaders([('a', '1'), ('b', '2')])"
