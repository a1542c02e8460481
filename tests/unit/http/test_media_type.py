"""Media types."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import limits
from kingpost.http import MediaType


@pytest.mark.parametrize(
    ("field", "essence", "parameters"),
    [
        ("text/html", "text/html", {}),
        ("Text/HTML; Charset=UTF-8", "text/html", {"charset": "UTF-8"}),
        ('a/b; c="d;e"; f=g', "a/b", {"c": "d;e", "f": "g"}),
        ('a/b; c="d\\"e\\\\"', "a/b", {"c": 'd"e\\'}),
        ("a/b;c=1;C=2", "a/b", {"c": "1"}),
        ("a/b;;;  ;x", "a/b", {"x": ""}),
        ('a/b; c="open; d=1', "a/b", {"c": '"open; d=1'}),
        ("\t a/b \t", "a/b", {}),
    ],
)
def test_a_media_type_is_read(field: str, essence: str, parameters: dict[str, str]) -> None:
    parsed = MediaType.parse(field)

    assert parsed is not None
    assert (parsed.essence, dict(parsed.parameters)) == (essence, parameters)


@pytest.mark.parametrize("field", [None, "", "text", "/", "a/", "/b", "a b/c", "a/b/c", "é/x"])
def test_what_is_no_media_type_is_none(field: str | None) -> None:
    assert MediaType.parse(field) is None


def test_a_long_field_is_read_up_to_the_limit_only() -> None:
    at_limit = "a/" + "b" * (limits.MEDIA_TYPE_BYTES - 2)

    assert MediaType.parse(at_limit) is not None
    assert MediaType.parse(at_limit + "b") is None


@pytest.mark.parametrize(
    ("field", "is_json"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("application/problem+json", True),
        ("APPLICATION/JSON", True),
        ("text/json", False),
        ("image/x+json", False),
        ("application/jsonp", False),
        ("application/json-seq", False),
    ],
)
def test_json_is_known_by_name_or_suffix(field: str, is_json: bool) -> None:
    parsed = MediaType.parse(field)

    assert parsed is not None
    assert parsed.is_json is is_json


@given(st.text())
def test_no_field_raises(field: str) -> None:
    MediaType.parse(field)
