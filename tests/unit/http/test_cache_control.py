"""What caches are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kingpost.http import CacheControl, Response


def test_directives_are_written_in_one_order() -> None:
    said = CacheControl(
        stale_if_error=3,
        stale_while_revalidate=2,
        s_maxage=timedelta(days=1),
        max_age=timedelta(hours=1),
        immutable=True,
        must_revalidate=True,
        public=True,
        no_transform=False,
    )

    assert str(said) == (
        "public, must-revalidate, immutable, max-age=3600, s-maxage=86400, "
        "stale-while-revalidate=2, stale-if-error=3"
    )
    assert repr(said) == f"<CacheControl {said}>"


def test_two_that_say_the_same_are_equal() -> None:
    one, same = CacheControl(max_age=60, public=True), CacheControl(public=True, max_age=60)

    assert one == same
    assert hash(one) == hash(same)
    assert one != CacheControl(max_age=61, public=True)
    assert one != str(one)


def test_what_is_kept_nowhere_needs_no_more_words() -> None:
    assert str(CacheControl(no_store=True, no_transform=True)) == "no-store, no-transform"


def test_zero_is_said_and_a_century_is_as_long_as_caches_count() -> None:
    assert str(CacheControl(max_age=0)) == "max-age=0"
    assert str(CacheControl(max_age=timedelta(days=36_525))) == "max-age=2147483647"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "says nothing"),
        ({"public": False}, "says nothing"),
        ({"public": True, "private": True}, "public and private contradict"),
        ({"no_store": True, "max_age": 5}, "no_store and max_age contradict"),
        ({"immutable": True}, "say max_age"),
        ({"immutable": True, "max_age": 0}, "say max_age"),
        ({"max_age": -1}, "0 or more"),
        ({"max_age": timedelta(seconds=-1)}, "0 or more"),
        ({"max_age": True}, "seconds or a timedelta"),
        ({"max_age": "60"}, "seconds or a timedelta"),
        ({"public": 1}, "True or False"),
        ({"maxage": 1}, "'maxage' is nothing that caches are told"),
    ],
)
def test_what_cannot_be_meant_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CacheControl(**options)


def test_a_response_says_it_in_place_of_what_was_said() -> None:
    response = Response("x", headers={"cache-control": "no-store"})

    assert response.cache_control(private=True, max_age=5) is response
    assert response.headers.get_all("cache-control") == ["private, max-age=5"]
