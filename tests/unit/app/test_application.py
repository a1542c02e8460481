"""App: its members, its names, its settings."""

from __future__ import annotations

from typing import Any

import pytest

from kingpost import App, Blueprint, Request, Settings, current_app
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError
from kingpost.testing import TestClient

SHARED = {
    *("get", "post", "put", "patch", "delete", "route", "websocket", "resource"),
    *("add_route", "include"),
    *("provide", "middleware", "before_request", "after_request", "error"),
}
"""What a blueprint has as well."""
MEMBERS = SHARED | {
    *("override", "install", "lifespan", "on", "emit", "aemit"),
    *("url_for", "settings", "extensions", "run", "mount", "wsgi"),
}


class AppSettings(Settings):
    title: str = "t"


def test_app_has_these_members_and_no_others() -> None:
    assert {name for name in dir(App) if not name.startswith("_")} == MEMBERS
    assert {name for name in vars(App()) if not name.startswith("_")} == set()


def test_a_blueprint_has_the_decorators() -> None:
    own = {"name", "prefix", "version", "hosts", "when", "requires"}

    assert {name for name in dir(Blueprint("x")) if not name.startswith("_")} - own == SHARED


def test_the_settings_are_of_the_class_that_was_given() -> None:
    assert App(settings=AppSettings).settings is AppSettings.load()
    assert isinstance(App().settings, Settings)


@pytest.mark.parametrize("settings", [AppSettings(), str, "AppSettings"], ids=str)
def test_settings_that_are_no_class_of_settings_are_refused(settings: object) -> None:
    with pytest.raises(ConfigurationError) as refused:
        App(settings=settings)  # type: ignore[arg-type]  # the mistake itself

    assert refused.value.code == "app.bad-settings"


def test_urls_are_there_before_the_start_and_grow_with_the_routes() -> None:
    app = App(hosts=["*.example.org", "example.org"])
    app.get("/{n}")(lambda n: "x")

    @app.get("/first")
    def first() -> str:
        return ""

    assert app.url_for("first") == "/first"

    @app.get("/second/{id}")
    def second(id: int) -> str:
        return ""

    assert app.url_for("second", id=2, page=3) == "/second/2?page=3"
    assert app.url_for("first", absolute=True) == "https://example.org/first"


def test_an_app_without_a_host_has_no_absolute_urls() -> None:
    app = App(hosts=["*.example.org"])
    app.get("/", name="home")(lambda: "x")

    with pytest.raises(ConfigurationError) as refused:
        app.url_for("home", absolute=True)

    assert refused.value.code == "app.no-host"


def test_the_current_app_is_the_one_that_serves() -> None:
    one, two = App(), App()
    for app in (one, two):
        app.get("/")(lambda: str(id(current_app())))

    with TestClient(one) as first, TestClient(two) as second:
        assert first.get("/").text == str(id(one))
        assert second.get("/").text == str(id(two))
        with pytest.raises(LookupError, match="no App serves this code"):
            current_app()


def test_outside_of_requests_the_only_app_is_the_current_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import weakref

    from kingpost.app import application

    monkeypatch.setattr(application, "_compiled", weakref.WeakSet[App]())
    app = App()
    compile_app(app, mode="test")

    assert current_app() is app


def test_run_serves_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    from kingpost.server import serve

    served: list[object] = []
    monkeypatch.delenv("KINGPOST_ENV", raising=False)
    monkeypatch.setattr(
        serve, "serve", lambda service, **address: served.append((service.mode, address))
    )

    App().run(port=0)

    assert served == [("production", {"host": "127.0.0.1", "port": 0})]


def test_a_request_knows_the_blueprint_that_it_came_through() -> None:
    group = Blueprint("group")

    @group.get("/a")
    def a(request: Request) -> str:
        return request.url_for(".a") + request.url_for("group.a", absolute=True)

    app = App()
    app.include(group)
    with TestClient(app) as client:
        assert client.get("/a").text == "/ahttp://localhost/a"


@pytest.mark.parametrize(
    ("option", "remedy"),
    [
        ("debug", "run `kingpost dev` while you develop, or set KINGPOST_ENV=development"),
        ("title", "it takes routes, settings, hosts, middleware, converters and plugins"),
    ],
)
def test_an_option_that_an_app_has_not_is_refused_with_what_is_written_instead(
    option: str, remedy: str
) -> None:
    make: Any = App

    with pytest.raises(TypeError) as refused:
        make(**{option: True})

    assert str(refused.value) == f"App({option}=True): an App has no option {option!r}; {remedy}"
