"""Query strings and plain forms."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost.errors import BadRequest
from kingpost.http.urlencoded import parse_pairs, percent_decode


@pytest.mark.parametrize(
    ("data", "pairs"),
    [
        (b"", []),
        (b"&&", []),
        (b"a", [("a", "")]),
        (b"a=", [("a", "")]),
        (b"=a", [("", "a")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a=1&a=2", [("a", "1"), ("a", "2")]),
        (b"a=1;b=2", [("a", "1;b=2")]),
        (b"a+b=c+d", [("a b", "c d")]),
        (b"a=%2B", [("a", "+")]),
        (b"a=%zz%4", [("a", "%zz%4")]),
        (b"a=%E2%82%AC", [("a", "€")]),
        (b"a=\xe2\x82\xac", [("a", "€")]),
        (b"a=%FF", [("a", "\ufffd")]),
        (b"A=1&a=2", [("A", "1"), ("a", "2")]),
    ],
)
def test_pairs_are_read_as_browsers_write_them(data: bytes, pairs: list[tuple[str, str]]) -> None:
    assert parse_pairs(data, limit=10, what="query") == pairs


def test_empty_pieces_count_towards_the_limit() -> None:
    with pytest.raises(BadRequest):
        parse_pairs(b"&" * 10, limit=10, what="query")


@pytest.mark.parametrize(
    ("what", "code"), [("query", "query.too-many-pairs"), ("form", "form.too-many-fields")]
)
def test_the_refusal_names_what_is_too_long(what: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_pairs(b"a&b", limit=1, what=what)
    assert caught.value.code == code


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=20))
def test_what_is_encoded_comes_back(pairs: list[tuple[str, str]]) -> None:
    encoded = urlencode(pairs).encode()

    assert parse_pairs(encoded, limit=100, what="query") == pairs


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_the_standard_library_reads_them(data: bytes) -> None:
    ours = parse_pairs(data, limit=1000, what="query")
    theirs = parse_qsl(
        data.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=None
    )

    assert [(name.encode("utf-8", "replace"), value) for name, value in ours] == [
        (
            name.encode("latin-1").decode("utf-8", "replace").encode("utf-8", "replace"),
            value.encode("latin-1").decode("utf-8", "replace"),
        )
        for name, value in theirs
    ]


def test_percent_decoding_gives_bytes() -> None:
    assert percent_decode(b"%00%ff%41%") == b"\x00\xffA%"
