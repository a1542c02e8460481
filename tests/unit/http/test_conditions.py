"""Conditional requests, by the table of RFC 9110 section 13.2.2."""

from __future__ import annotations

import pytest

from kingpost.errors import PreconditionFailed
from kingpost.http.conditions import entity_tags, judge, wants_this_range
from tests.unit.http.sample import Fields

MODIFIED = 784_111_777
BEFORE, SAME, AFTER = (
    "Sun, 06 Nov 1994 08:49:36 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:38 GMT",
)
Pairs = dict[str, str]


def verdict(fields: Pairs, method: str = "GET", etag: str = '"a"') -> str:
    try:
        return judge(method, Fields(fields.items()), etag=etag, modified=MODIFIED)
    except PreconditionFailed:
        return "failed"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "send"),
        # If-None-Match: weakly, any of a list, and only "*" means all.
        ({"if-none-match": '"a"'}, "not-modified"),
        ({"if-none-match": 'W/"a"'}, "not-modified"),
        ({"if-none-match": '"x", W/"y" ,,"a"'}, "not-modified"),
        ({"if-none-match": "*"}, "not-modified"),
        ({"if-none-match": '"b"'}, "send"),
        ({"if-none-match": "a"}, "send"),
        ({"if-none-match": '"*"'}, "send"),
        ({"if-none-match": '"a'}, "send"),
        # If-Modified-Since, which counts only without If-None-Match.
        ({"if-modified-since": BEFORE}, "send"),
        ({"if-modified-since": SAME}, "not-modified"),
        ({"if-modified-since": AFTER}, "not-modified"),
        ({"if-modified-since": "today"}, "send"),
        ({"if-none-match": '"b"', "if-modified-since": AFTER}, "send"),
        # If-Match: strongly.
        ({"if-match": '"a"'}, "send"),
        ({"if-match": "*"}, "send"),
        ({"if-match": '"b", "a"'}, "send"),
        ({"if-match": 'W/"a"'}, "failed"),
        ({"if-match": '"b"'}, "failed"),
        ({"if-match": ""}, "failed"),
        # If-Unmodified-Since, which counts only without If-Match.
        ({"if-unmodified-since": BEFORE}, "failed"),
        ({"if-unmodified-since": SAME}, "send"),
        ({"if-unmodified-since": AFTER}, "send"),
        ({"if-unmodified-since": "today"}, "send"),
        ({"if-match": '"a"', "if-unmodified-since": BEFORE}, "send"),
        # Both kinds: the preconditions first.
        ({"if-match": '"a"', "if-none-match": '"a"'}, "not-modified"),
        ({"if-match": '"b"', "if-none-match": '"a"'}, "failed"),
    ],
)
def test_conditions_are_judged_in_their_order(fields: Pairs, expected: str) -> None:
    assert verdict(fields) == expected


def test_a_method_that_writes_fails_where_one_that_reads_is_spared() -> None:
    assert verdict({"if-none-match": "*"}, "PUT") == "failed"
    assert verdict({"if-none-match": '"b"'}, "PUT") == "send"
    assert verdict({"if-modified-since": AFTER}, "PUT") == "send"
    assert verdict({"if-none-match": '"a"'}, "HEAD") == "not-modified"


def test_a_weak_tag_spares_and_never_promises() -> None:
    assert verdict({"if-none-match": '"a"'}, etag='W/"a"') == "not-modified"
    assert verdict({"if-match": 'W/"a"'}, etag='W/"a"') == "failed"


def test_what_has_neither_tag_nor_date_is_sent() -> None:
    fields = Fields(
        [("if-none-match", '""'), ("if-modified-since", AFTER), ("if-unmodified-since", BEFORE)]
    )

    assert judge("GET", fields, etag="", modified=None) == "send"
    assert judge("GET", Fields([("if-modified-since", AFTER)]), etag="", modified=None) == "send"
    with pytest.raises(PreconditionFailed):
        judge("GET", Fields([("if-match", '""')]), etag="", modified=None)


def test_a_list_of_tags_is_read_in_linear_time() -> None:
    assert len(list(entity_tags('"a", ' * 20_000))) == 20_000
    assert list(entity_tags(" ," * 100_000)) == []
    assert list(entity_tags('W/"a" nonsense "b"')) == [(True, "a")]


@pytest.mark.parametrize(
    ("field", "etag", "expected"),
    [
        (None, '"a"', True),
        ('"a"', '"a"', True),
        ('"b"', '"a"', False),
        ('W/"a"', '"a"', False),
        ('W/"a"', 'W/"a"', False),
        (SAME, '"a"', True),
        (BEFORE, '"a"', False),
        (AFTER, '"a"', False),
        ("soon", '"a"', False),
    ],
)
def test_if_range_names_the_very_state(field: str | None, etag: str, expected: bool) -> None:
    assert wants_this_range(field, etag=etag, modified=MODIFIED) is expected


def test_a_date_of_this_second_promises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: MODIFIED + 0.5)

    assert not wants_this_range(SAME, etag='"a"', modified=MODIFIED)
