"""URLs that we write."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost.http.url import (
    absolute_url,
    encode_path,
    encode_query,
    encode_reference,
    encode_segment,
    leaves_site,
)


@given(st.text().filter(lambda text: text not in (".", "..")))
def test_a_segment_stays_one_segment(text: str) -> None:
    encoded = encode_segment(text)

    assert encoded.isascii()
    assert not set("/?# ") & set(encoded)
    assert unquote(encoded) == text


@pytest.mark.parametrize("text", [".", ".."])
def test_a_step_is_no_segment(text: str) -> None:
    with pytest.raises(ValueError, match="browsers take it as a step"):
        encode_segment(text)


def test_a_path_keeps_its_slashes() -> None:
    assert encode_path("a/b c?d") == "a/b%20c%3Fd"


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1))))
def test_a_query_comes_back(pairs: list[tuple[str, str]]) -> None:
    assert parse_qsl(encode_query(pairs)) == pairs


def test_a_query_writes_values_as_our_binding_reads_them() -> None:
    assert (
        encode_query({"a": True, "b": False, "c": None, "d": [1, "x y"], "e": ""})
        == "a=true&b=false&d=1&d=x%20y&e="
    )


def test_encoding_a_reference_twice_changes_nothing() -> None:
    once = encode_reference("/a b/%20?x=é#[y]")

    assert once == "/a%20b/%20?x=%C3%A9#[y]"
    assert encode_reference(once) == once


def test_an_absolute_url_is_made_of_checked_parts() -> None:
    assert absolute_url("https", "example.org:8443", "/a?b") == "https://example.org:8443/a?b"
    assert absolute_url("http", "[::1]:8000", "/") == "http://[::1]:8000/"


@pytest.mark.parametrize("host", ["", "a/", "a?", "a#", "@x", "u@h", "a\\b", "a b", "a\n", "é"])
def test_a_host_that_would_move_the_path_is_refused(host: str) -> None:
    """Starlette CVE-2026-48710."""
    with pytest.raises(ValueError, match="cannot stand in a URL"):
        absolute_url("http", host, "/")


def test_an_absolute_url_needs_a_whole_path() -> None:
    with pytest.raises(ValueError, match="does not begin with '/'"):
        absolute_url("http", "a", "@evil.example")


@given(st.text(alphabet="/\\:.%25cCfF@?#ae \t\n"))
def test_what_does_not_leave_the_site_begins_like_a_local_reference(location: str) -> None:
    if leaves_site(location):
        return
    assert not location.startswith(("//", "/\\", "\\"))
    assert (
        ":"
        not in location.split("/", maxsplit=1)[0]
        .split("?", maxsplit=1)[0]
        .split("#", maxsplit=1)[0]
    )
