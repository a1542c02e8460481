"""Responses and redirects."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from kingpost.errors import BadRequest
from kingpost.http import Redirect, Response
from kingpost.http.cookies import set_cookie_field
from kingpost.signing import CookieOptions


def test_a_response_keeps_what_it_is_given() -> None:
    response = Response({"id": 7}, status=201, headers={"Location": "/todos/7"}, media_type="a/b")

    assert (response.content, response.status, response.media_type) == ({"id": 7}, 201, "a/b")
    assert response.headers.pairs() == [("location", "/todos/7")]


def test_a_response_without_content_has_none() -> None:
    response = Response(status=204)

    assert (response.content, response.status, response.has_headers) == (None, 204, False)


def test_headers_can_be_set_on_a_response_that_came_without() -> None:
    response = Response("x")

    response.headers["X-App"] = "notes"

    assert response.has_headers
    assert response.headers.pairs() == [("x-app", "notes")]


def test_a_field_may_come_twice() -> None:
    response = Response("x", headers=[("Link", "</a>"), ("Link", "</b>")])

    assert response.headers.get_all("link") == ["</a>", "</b>"]


def test_header_injection_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="header 'X-User'"):
        Response("x", headers={"X-User": "a\r\nSet-Cookie: b=c"})


@pytest.mark.parametrize("status", [100, 199, 600, 0, -200])
def test_a_status_that_is_not_final_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match=f"status={status}"):
        Response("x", status=status)


@pytest.mark.parametrize("status", [200, 599])
def test_the_first_and_last_final_status_are_taken(status: int) -> None:
    assert Response("x", status=status).status == status


def test_responses_have_no_room_for_misspelt_attributes() -> None:
    with pytest.raises(AttributeError):
        Response("x").stauts = 404  # type: ignore[attr-defined]  # the mistake itself


def test_set_cookie_can_be_chained() -> None:
    response = Response("x").set_cookie("a", "1").set_cookie("b", "2", path="/x")

    assert response.headers.get_all("set-cookie") == [
        "a=1; Path=/; Secure; HttpOnly; SameSite=Lax",
        "b=2; Path=/x; Secure; HttpOnly; SameSite=Lax",
    ]


def test_the_same_cookie_is_sent_once() -> None:
    response = Response("x").set_cookie("a", "1").set_cookie("a", "2", path="/x")

    response.set_cookie("a", "3")

    assert [field.partition(";")[0] for field in response.headers.get_all("set-cookie")] == [
        "a=2",
        "a=3",
    ]


def test_the_only_cookie_is_replaced_too() -> None:
    response = Response("x").set_cookie("a", "1").set_cookie("a", "2")

    assert [field.partition(";")[0] for field in response.headers.get_all("set-cookie")] == ["a=2"]


def test_deleting_a_cookie_makes_it_old() -> None:
    response = Response("x").delete_cookie("__Host-a")

    assert response.headers["set-cookie"] == (
        "__Host-a=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; "
        "Secure; HttpOnly; SameSite=Lax"
    )


def test_whatever_sets_or_deletes_a_cookie_takes_the_same_options() -> None:
    def options(function: Callable[..., object]) -> list[inspect.Parameter]:
        parameters = inspect.signature(function).parameters.values()
        return [each for each in parameters if each.kind is each.KEYWORD_ONLY]

    assert options(Response.set_cookie) == options(set_cookie_field)
    assert options(Response.delete_cookie) == [
        each for each in options(set_cookie_field) if each.name not in ("max_age", "expires")
    ]
    assert list(CookieOptions.__annotations__) == [
        each.name for each in options(Response.delete_cookie)
    ]


def test_the_repr_names_class_and_status() -> None:
    assert (repr(Response("x", status=201)), repr(Redirect("/"))) == (
        "<Response 201>",
        "<Redirect 303>",
    )


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/", "/"),
        ("/a/b?c=d#e", "/a/b?c=d#e"),
        ("?page=2", "?page=2"),
        ("#top", "#top"),
        ("next", "next"),
        ("../up", "../up"),
        ("/zażółć gęślą", "/za%C5%BC%C3%B3%C5%82%C4%87%20g%C4%99%C5%9Bl%C4%85"),
        ("/a%20b", "/a%20b"),
        ('/"<>', "/%22%3C%3E"),
        ("/a:b", "/a:b"),
        ("/login?next=https://example.org", "/login?next=https://example.org"),
        ("/a//b", "/a//b"),
        ("", ""),
    ],
)
def test_a_redirect_to_this_site_is_encoded(location: str, sent: str) -> None:
    redirect = Redirect(location)

    assert (redirect.status, redirect.location) == (303, sent)


@pytest.mark.parametrize(
    "location",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "/a\\b",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/ok\r\nSet-Cookie: a=b",
        "/\0",
        "\u00a0//evil.example",
        "/%5cevil.example",
        "/%5Cevil.example",
        "/%2f/evil.example",
        "/%2Fevil.example",
        "%2f%2fevil.example",
        "https://evil.example",
        "https:evil.example",
        "https:/evil.example",
        "HTTPS://evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:a@b.example",
    ],
)
def test_a_redirect_that_could_leave_the_site_is_refused(location: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Redirect(location)
    assert caught.value.code == "redirect.leaves-site"


@pytest.mark.parametrize(
    "location",
    ["https://example.org", "http://example.org:8000/a?b#c", "HTTPS://example.org/", "/here"],
)
def test_an_external_redirect_may_be_a_web_url(location: str) -> None:
    assert Redirect(location, external=True).location == location


@pytest.mark.parametrize(
    "location",
    [
        "javascript:alert(1)",
        "//example.org",
        "https://",
        "https:///a",
        "https:\\\\example.org",
        "https://example.org\\a",
        "https://exa mple.org",
        "https://example.org/\r\nX: y",
        "ftp://example.org",
    ],
)
def test_an_external_redirect_is_a_web_url_or_refused(location: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Redirect(location, external=True)
    assert caught.value.code == "redirect.bad-location"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_may_have_each_status_of_its_kind(status: int) -> None:
    assert Redirect("/", status=status).status == status


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 309, 404])
def test_a_redirect_with_another_status_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match=f"status={status}: a Redirect has one of 301"):
        Redirect("/", status=status)
