"""How long answers may be kept, said for a route."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost import App, NotFound, Request, Response
from kingpost.middleware import ConditionalGet, HttpCache
from kingpost.testing import TestClient


def field(app: App, path: str = "/", method: str = "GET", **options: Any) -> str | None:
    with TestClient(app) as client:
        found: str | None = client.request(method, path, **options).headers.get("cache-control")
        return found


def test_the_answers_of_a_route_may_be_kept_and_those_of_others_not() -> None:
    app = App()
    app.get("/", middleware=[HttpCache(public=True, max_age=60)])(lambda: "x")
    app.get("/other")(lambda: "y")

    assert field(app) == field(app, method="HEAD") == "public, max-age=60"
    assert field(app, "/other") is None


def test_what_an_answer_says_itself_wins() -> None:
    app = App(middleware=[HttpCache(public=True, max_age=60)])

    @app.get("/")
    def show() -> Response[str]:
        return Response("x").cache_control(no_store=True)

    assert field(app) == "no-store"


def test_errors_and_changes_are_told_nothing() -> None:
    app = App(middleware=[HttpCache(public=True, max_age=60)])

    @app.get("/missing")
    def missing() -> str:
        raise NotFound

    app.post("/")(lambda: "x")

    assert field(app, "/missing") is None
    assert field(app, method="POST") is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"public": True, "max_age": 60}, "no-store"),
        ({"max_age": 60}, "no-store"),
        ({"private": True, "max_age": 60}, "private, max-age=60"),
    ],
)
def test_a_cookie_is_not_kept_where_others_would_get_it(
    options: dict[str, Any], expected: str
) -> None:
    app = App(middleware=[HttpCache(**options)])

    @app.get("/")
    def show() -> Response[str]:
        return Response("x").set_cookie("visit", "1")

    assert field(app) == expected


def test_with_an_etag_inside_who_is_up_to_date_is_answered_before_the_handler() -> None:
    calls: list[str] = []

    def version(request: Request) -> str:
        return "7"

    app = App()

    @app.get("/", middleware=[HttpCache(public=True, max_age=60), ConditionalGet(etag=version)])
    def show() -> str:
        calls.append("called")
        return "x"

    with TestClient(app) as client:
        tag = client.get("/").headers["etag"]
        same = client.get("/", headers={"if-none-match": tag})

    assert (same.status, same.headers["cache-control"]) == (304, "public, max-age=60")
    assert calls == ["called"]


def test_what_caches_cannot_be_told_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="contradict"):
        HttpCache(public=True, private=True)
