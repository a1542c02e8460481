"""Middleware that says where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kingpost import App, Blueprint, CallNext, Request, Response
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError
from kingpost.testing import TestClient


class Named:
    """Middleware that writes its name on the way out: the innermost first."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        response.headers.add("x-way", self.name)
        return response


class Proxies(Named): ...


class Log(Named): ...


def way(app: App, path: str = "/") -> list[str]:
    """The names of the middleware, outermost first."""
    with TestClient(app) as client:
        return client.get(path).headers.get_all("x-way")[::-1]


def app_with(*register: Callable[[App], object]) -> App:
    app = App()
    app.add_route("/", lambda: "here", name="home")
    for each in register:
        each(app)
    return app


def test_without_a_word_the_order_is_that_of_registration() -> None:
    app = app_with()
    for name in "abc":
        app.middleware(Named(name))

    assert way(app) == [*"abc"]


def test_under_stands_inside_and_over_outside_whatever_the_order() -> None:
    log, proxies = Log("log"), Proxies("proxies")
    app = app_with(
        lambda app: app.middleware(Named("inner"), under=log),
        lambda app: app.middleware(log, under=Proxies),
        lambda app: app.middleware(Named("between"), over=[Log], under=[Proxies]),
        lambda app: app.middleware(proxies),
        lambda app: app.middleware(Named("outermost"), over=Named),
    )

    assert way(app) == ["outermost", "proxies", "between", "log", "inner"]


def test_functions_are_named_by_themselves_and_decorated() -> None:
    app = app_with()

    @app.middleware(under=Named)
    async def mine(request: Request, call_next: CallNext) -> Response[Any]:
        return await Named("mine")(request, call_next)

    @app.middleware(under=mine)
    async def below(request: Request, call_next: CallNext) -> Response[Any]:
        return await Named("below")(request, call_next)

    app.middleware(Named("named"))

    assert way(app) == ["named", "mine", "below"]


def test_what_is_not_there_is_passed_over() -> None:
    app = app_with(
        lambda app: app.middleware(Named("a"), under=Proxies),
        lambda app: app.middleware(Named("b"), over=Proxies("another")),
    )

    assert way(app) == ["a", "b"]


def test_a_blueprint_orders_its_own() -> None:
    app, shop = app_with(lambda app: app.middleware(Named("app"))), Blueprint("shop", prefix="/s")
    shop.middleware(Named("second"), under=Log)
    shop.middleware(Log("first"))
    shop.get("/")(lambda: "goods")
    app.include(shop)

    assert way(app, "/s/") == ["app", "first", "second"]


def test_two_that_want_to_be_outside_of_each_other_are_refused() -> None:
    app = app_with(
        lambda app: app.middleware(Named("only below"), under=Log),
        lambda app: app.middleware(Log("log"), under=Proxies),
        lambda app: app.middleware(Proxies("proxies"), under=Log),
    )

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == "routing.middleware-order"
    assert "Log and Proxies each want to stand under the other" in str(refused.value)
    assert len(refused.value.places) == 2


def test_explain_reports_the_order() -> None:
    app = app_with(
        lambda app: app.middleware(Log("log"), under=Proxies),
        lambda app: app.middleware(Proxies("proxies")),
    )
    lines = [
        line
        for line in compile_app(app, mode="test").explain("/").splitlines()
        if "middleware:" in line
    ]

    assert len(lines) == 2
    assert app.__routes__().middleware == [
        app.__routes__().layers[1].function,
        app.__routes__().layers[0].function,
    ]
