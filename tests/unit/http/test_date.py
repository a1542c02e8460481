"""Dates of HTTP fields."""

from __future__ import annotations

import pytest

from kingpost.http.date import http_date, parse_http_date

MOMENT = 784_111_777


def test_a_date_is_written_as_the_rfc_writes_it() -> None:
    assert http_date(MOMENT) == "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_three_formats_are_read(text: str) -> None:
    assert parse_http_date(text) == MOMENT


def test_two_digits_are_a_year_near_to_this_one() -> None:
    assert http_date(parse_http_date("Friday, 01-Jan-27 00:00:00 GMT") or 0).split()[3] == "2027"


def test_a_leap_second_is_the_next_one() -> None:
    assert parse_http_date("Sun, 06 Nov 1994 08:49:60 GMT") == MOMENT + 23


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
    ],
)
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert parse_http_date(text) is None
