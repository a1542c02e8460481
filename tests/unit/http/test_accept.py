"""What the client wants to get."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import limits
from kingpost.http import best_match, parse_accept, prefers_html

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("field", "offers", "best"),
    [
        (None, ["a/b", "c/d"], "a/b"),
        ("", ["a/b"], "a/b"),
        ("*/*", ["a/b", "c/d"], "a/b"),
        ("c/d", ["a/b", "c/d"], "c/d"),
        ("a/b;q=0.5, c/d", ["a/b", "c/d"], "c/d"),
        ("a/*;q=0.5, a/c;q=0.1", ["a/c", "a/b"], "a/b"),
        ("*/*, a/b;q=0", ["a/b", "c/d"], "c/d"),
        ("a/b;q=0", ["a/b"], None),
        ("x/y", ["a/b"], None),
        ("A/B", ["a/b"], "a/b"),
        ("a/b;version=2", ["a/b", "a/b;version=2"], "a/b;version=2"),
        ("a/b;version=2;q=0.1, a/b;q=0.9", ["a/b;version=2", "a/b"], "a/b"),
        ("a/b;Q=0.3, c/d;q=0.4", ["a/b", "c/d"], "c/d"),
        ("junk, c/d", ["c/d"], "c/d"),
        ("*/json", ["a/json"], None),
    ],
)
def test_the_most_wanted_offer_is_chosen(
    field: str | None, offers: list[str], best: str | None
) -> None:
    assert best_match(field, offers) == best


@pytest.mark.parametrize(
    "weight", ["2", "1.1", "-1", "nan", "0.1234", "1e-1", "", ".5", "0,5", "\u0660"]
)
def test_a_range_with_a_weight_that_is_none_is_skipped(weight: str) -> None:
    assert best_match(f"a/b;q={weight}", ["a/b"]) is None


@pytest.mark.parametrize("weight", ["1", "1.", "1.000", "0.001", "0.5"])
def test_every_spelling_of_a_weight_is_read(weight: str) -> None:
    assert best_match(f"a/b;q={weight}", ["a/b"]) == "a/b"


def test_ranges_past_the_limit_are_not_read() -> None:
    many = ", ".join(f"x/y{number}" for number in range(limits.ACCEPT_RANGES - 1))

    assert best_match(f"{many}, a/b", ["a/b"]) == "a/b"
    assert best_match(f"{many}, x/y, a/b", ["a/b"]) is None


def test_an_offer_that_is_no_media_type_is_refused() -> None:
    with pytest.raises(ValueError, match="'json' is no media type"):
        best_match("*/*", ["json"])


@pytest.mark.parametrize(
    ("field", "is_html"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        (BROWSER, True),
        ("application/json", False),
        ("text/html", True),
        ("text/html;q=0", False),
        ("application/json, text/html;q=0.5", False),
        ("application/json;q=0.5, text/html", True),
        ("application/problem+json, text/html", True),
        ("text/htmlx", False),
    ],
)
def test_people_are_told_from_programs(field: str | None, is_html: bool) -> None:
    assert prefers_html(field) is is_html


@given(st.text())
def test_no_field_raises(field: str) -> None:
    assert len(parse_accept(field)) <= limits.ACCEPT_RANGES
    prefers_html(field)
