"""Ranges of bytes."""

from __future__ import annotations

import time

import pytest

from kingpost import limits
from kingpost.errors import HTTPError
from kingpost.http.ranges import Stretch, parse_range

Stretches = list[tuple[int, int]]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-4", [(0, 5)]),
        ("bytes=0-", [(0, 1000)]),
        ("bytes=990-2000", [(990, 10)]),
        ("bytes=-5", [(995, 5)]),
        ("bytes=-5000", [(0, 1000)]),
        ("BYTES = 1-2".replace(" =", "="), [(1, 2)]),
        ("bytes= , 1-2,\t,", [(1, 2)]),
        ("bytes=0-0,-1", [(0, 1), (999, 1)]),
        # In the order asked for, where none is joined.
        ("bytes=500-509,0-9", [(500, 10), (0, 10)]),
        # Those that are behind the end are left out.
        ("bytes=0-9,5000-", [(0, 10)]),
        ("bytes=0-9,-0", [(0, 10)]),
        # Overlapping, touching, or closer than the head of a part.
        ("bytes=0-99,50-149", [(0, 150)]),
        ("bytes=0-99,10-19", [(0, 100)]),
        ("bytes=100-199,0-99", [(0, 200)]),
        ("bytes=0-9,50-59,500-509", [(0, 60), (500, 10)]),
        ("bytes=500-99999999999999999999999999", [(500, 500)]),
    ],
)
def test_ranges_are_read(field: str, expected: Stretches) -> None:
    assert parse_range(field, 1000) == expected


@pytest.mark.parametrize(
    "field",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=0-1,5-4",
        "bytes=0 - 1",
        "bytes=+1-2",
        "bytes=\u0660-\u0664",
        "bytes=1-2-3",
        "lines=1-2",
        "0-4",
    ],
)
def test_what_is_no_range_of_bytes_is_ignored(field: str | None) -> None:
    assert parse_range(field, 1000) is None


def test_of_an_empty_file_the_whole_is_sent() -> None:
    assert parse_range("bytes=0-", 0) is None


@pytest.mark.parametrize("field", ["bytes=1000-", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_a_range_behind_the_end_cannot_be_satisfied(field: str) -> None:
    with pytest.raises(HTTPError) as caught:
        parse_range(field, 1000)

    assert (caught.value.status, caught.value.code) == (416, "range-not-satisfiable")
    assert caught.value.headers == {"Content-Range": "bytes */1000"}


def test_as_many_ranges_as_the_limit_are_taken_and_one_more_is_ignored() -> None:
    wanted = [f"{n * 1000}-{n * 1000}" for n in range(limits.RANGES + 1)]

    assert len(parse_range("bytes=" + ",".join(wanted[:-1]), 10**6) or ()) == limits.RANGES
    assert parse_range("bytes=" + ",".join(wanted), 10**6) is None


def test_a_field_of_a_hundred_thousand_ranges_costs_nothing() -> None:
    field = "bytes=" + "0-0," * 100_000
    started = time.thread_time()

    assert parse_range(field, 10**6) is None
    assert time.thread_time() - started < 0.5


def test_a_stretch_says_where_it_lies() -> None:
    assert Stretch(5, 10).content_range(100) == "bytes 5-14/100"
