"""Cookies, both ways (RFC 6265bis)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import limits
from kingpost.http.cookies import parse_cookies, same_cookie, set_cookie_field


@pytest.mark.parametrize(
    ("field", "cookies"),
    [
        ("a=1", {"a": "1"}),
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ("a=1;b=2", {"a": "1", "b": "2"}),
        (" a = 1 ;\tb=2 ", {"a": "1", "b": "2"}),
        ("a=b=c", {"a": "b=c"}),
        ('a="x y"', {"a": '"x y"'}),
        ("a=", {"a": ""}),
        ("a", {}),
        ("=a", {}),
        ("=__Host-x=v", {}),
        ("; ;;", {}),
        ("a=1; a=2", {"a": "1"}),
        ("A=1; a=2", {"A": "1", "a": "2"}),
        ("a=%41", {"a": "%41"}),
        ("", {}),
    ],
)
def test_cookie_fields_are_read(field: str, cookies: dict[str, str]) -> None:
    assert parse_cookies([field]) == cookies


def test_the_first_of_several_fields_wins() -> None:
    assert parse_cookies(["a=1", "a=2; b=3"]) == {"a": "1", "b": "3"}


@pytest.mark.parametrize("separator", ["; ", ";"])
def test_cookies_past_the_limit_are_ignored(separator: str) -> None:
    field = separator.join(f"c{number}=1" for number in range(limits.COOKIES + 1))

    assert len(parse_cookies([field])) == limits.COOKIES
    assert len(parse_cookies([field, "more=1"])) == limits.COOKIES


@pytest.mark.parametrize(
    ("more", "names"), [(0, ["a", "b", "c"]), (1, ["a", "b"])], ids=["at it", "one past it"]
)
def test_bytes_of_cookies_past_the_limit_are_ignored(more: int, names: list[str]) -> None:
    half = limits.COOKIES_BYTES // 2
    fields = [
        f"a={'x' * (half - 1)}",
        f"a=again; b={'x' * (half - 3)}",
        f"c={'x' * (1 + more)}; a=1",
    ]

    assert list(parse_cookies(fields)) == names


def test_what_does_not_fit_ends_the_cookies() -> None:
    assert parse_cookies(["a=1", f"b={'x' * limits.COOKIES_BYTES}", "c=1"]) == {"a": "1"}


@given(st.text())
def test_no_cookie_field_raises(field: str) -> None:
    assert "" not in parse_cookies([field])


def test_the_defaults_are_safe() -> None:
    assert set_cookie_field("a", "1") == "a=1; Path=/; Secure; HttpOnly; SameSite=Lax"


def test_every_attribute_is_written() -> None:
    field = set_cookie_field(
        "a",
        "1",
        max_age=60,
        expires=datetime(2026, 8, 9, 10, 11, 12, tzinfo=UTC),
        path="/x",
        domain=".Example.org",
        same_site="none",
        partitioned=True,
    )

    assert field == (
        "a=1; Max-Age=60; Expires=Sun, 09 Aug 2026 10:11:12 GMT; Domain=example.org; Path=/x; "
        "Secure; HttpOnly; SameSite=None; Partitioned"
    )


def test_a_cookie_may_be_open() -> None:
    field = set_cookie_field("a", "1", path=None, http_only=False, secure=False, same_site="strict")

    assert field == "a=1; SameSite=Strict"


def test_a_timedelta_is_seconds() -> None:
    assert "; Max-Age=90000;" in set_cookie_field("a", "1", max_age=timedelta(days=1, hours=1))


def test_another_time_zone_is_converted() -> None:
    moment = datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))

    assert "Expires=Wed, 31 Dec 2025 23:30:00 GMT" in set_cookie_field("a", "1", expires=moment)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "a\r\n", "é", 'a"', "a,b"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cookie name"):
        set_cookie_field(name, "1")


@pytest.mark.parametrize("bad", [" ", ";", ",", '"', "\\", "\r", "\n", "\0", "\x7f", "é", "\t"])
def test_a_value_that_would_not_come_back_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"cookie 'a': the value holds .* encode it"):
        set_cookie_field("a", f"x{bad}y")


def test_a_cookie_of_4096_bytes_is_taken_and_one_more_is_refused() -> None:
    assert set_cookie_field("a", "x" * (limits.COOKIE_BYTES - 1))
    with pytest.raises(ValueError, match="4097 bytes"):
        set_cookie_field("a", "x" * limits.COOKIE_BYTES)


@pytest.mark.parametrize(
    ("name", "options", "promise"),
    [
        ("__Secure-a", {"secure": False}, "secure=True"),
        ("__Host-a", {"secure": False}, "secure=True"),
        ("__Host-a", {"path": "/x"}, "path='/'"),
        ("__Host-a", {"path": None}, "path='/'"),
        ("__Host-a", {"domain": "example.org"}, "no domain"),
        ("__host-a", {"domain": "example.org"}, "no domain"),
        ("__Http-a", {"http_only": False}, "http_only=True"),
        ("__Host-Http-a", {"http_only": False}, "http_only=True"),
        ("__Host-Http-a", {"path": "/x"}, "path='/'"),
    ],
)
def test_a_prefix_is_held_to_its_promise(name: str, options: dict[str, Any], promise: str) -> None:
    with pytest.raises(ValueError, match=f"cookie '{name}'.*promises.*{promise}"):
        set_cookie_field(name, "1", **options)


@pytest.mark.parametrize("name", ["__Host-a", "__Secure-a", "__Http-a", "__Host-Http-a"])
def test_a_prefix_with_the_defaults_is_fine(name: str) -> None:
    assert set_cookie_field(name, "1").startswith(f"{name}=1; ")


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"same_site": "none", "secure": False}, "needs secure=True"),
        ({"partitioned": True, "secure": False}, "needs secure=True"),
        ({"same_site": "LAX"}, "none of 'lax', 'strict', 'none'"),
        ({"path": "x"}, "does not begin with '/'"),
        ({"path": "/x; Domain=evil"}, "holds ';'"),
        ({"path": "/x\r\n"}, "holds ';'"),
        ({"path": "/" + "x" * 1024}, "more than 1 KiB"),
        ({"domain": "example.org; Path=/"}, "no host name"),
        ({"domain": ""}, "no host name"),
        ({"domain": "a..b"}, "no host name"),
        ({"domain": "é.example"}, "no host name"),
        ({"domain": "a." * 127}, "no host name"),
        ({"max_age": "60"}, "no whole number"),
        ({"max_age": True}, "no whole number"),
        ({"expires": datetime(2026, 1, 1)}, "has no time zone"),  # noqa: DTZ001 - the mistake itself
    ],
)
def test_an_attribute_that_browsers_would_drop_is_refused(
    options: dict[str, Any], rule: str
) -> None:
    with pytest.raises(ValueError, match=f"cookie 'a': .*{rule}"):
        set_cookie_field("a", "1", **options)


def test_a_path_of_1_kib_is_taken() -> None:
    assert set_cookie_field("a", "1", path="/" + "x" * 1023)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {}, True),
        ({"secure": False}, {}, True),
        ({"path": "/x"}, {}, False),
        ({"domain": "a.org"}, {}, False),
        ({"domain": "A.org"}, {"domain": "a.org"}, True),
    ],
)
def test_a_cookie_is_known_by_name_domain_and_path(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    assert (
        same_cookie(set_cookie_field("a", "1", **one), set_cookie_field("a", "2", **other)) is same
    )
    assert not same_cookie(set_cookie_field("b", "1", **one), set_cookie_field("a", "1", **one))
