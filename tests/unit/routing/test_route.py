"""What a route, an include and a mark refuse when they are made."""

from collections.abc import Callable
from typing import Any

import pytest

from kingpost.errors import RoutingError
from kingpost.routing.blueprint import Blueprint
from kingpost.routing.registrar import Registrar
from kingpost.routing.route import Include, Route, route


def home() -> str:
    return ""


class Quote:
    pass


MISTAKES: list[tuple[Callable[[], Any], str]] = [
    (lambda: Route("todos", home), "routing.bad-pattern"),
    (lambda: Route(home, home), "routing.bad-pattern"),  # type: ignore[arg-type]  # the mistake itself
    (lambda: Route("/", "home"), "routing.not-a-handler"),  # type: ignore[arg-type]  # the mistake itself
    (lambda: Route("/", Quote), "routing.not-a-handler"),
    (lambda: Route("/", home, methods=[]), "routing.bad-method"),
    (lambda: Route("/", home, methods="GET"), "routing.bad-method"),
    (lambda: Route("/", home, methods=["get"]), "routing.bad-method"),
    (lambda: Route("/", home, methods=["G T"]), "routing.bad-method"),
    (lambda: Route("/", home, methods=["CONNECT"]), "routing.bad-method"),
    (lambda: Include("api", []), "routing.bad-prefix"),
    (lambda: Include("/api/", []), "routing.bad-prefix"),
    (lambda: Include("/", []), "routing.bad-prefix"),
    (lambda: Include("", [], name="a.b"), "routing.bad-name"),
    (lambda: Include("", "todos"), "routing.not-included"),  # type: ignore[arg-type]  # the mistake itself
    (lambda: Include("", [home]), "routing.not-included"),  # type: ignore[list-item]  # the mistake itself
    (lambda: Blueprint("a b"), "routing.bad-name"),
    (lambda: Blueprint("a", version=""), "routing.bad-name"),
    (lambda: route("x"), "routing.bad-pattern"),
    (lambda: Registrar().resource("/")(home), "routing.not-a-resource"),  # type: ignore[arg-type]  # the mistake itself
    (lambda: Registrar().error(200), "routing.bad-error-kind"),
    (lambda: Registrar().error(True), "routing.bad-error-kind"),
    (lambda: Registrar().error(BaseException), "routing.bad-error-kind"),  # type: ignore[type-var]  # the mistake itself
]


@pytest.mark.parametrize(("make", "code"), MISTAKES, ids=[str(n) for n in range(len(MISTAKES))])
def test_what_cannot_work_is_refused_at_its_line(make: Callable[[], Any], code: str) -> None:
    with pytest.raises(RoutingError) as refused:
        make()

    assert refused.value.code == code
    assert [place.file for place in refused.value.places] == ["tests/unit/routing/test_route.py"]


def test_a_decorator_without_parentheses_says_so() -> None:
    with pytest.raises(RoutingError) as refused:
        Registrar().get(home)  # type: ignore[arg-type]  # the mistake itself

    assert refused.value.remedy == 'give the path in parentheses: @app.get("/")'


def test_two_error_handlers_for_one_error_are_both_named() -> None:
    app = Registrar()
    app.error(404)(lambda request, error: "x")

    with pytest.raises(RoutingError) as refused:
        app.error(404)(lambda request, error: "x")

    assert refused.value.code == "routing.error-twice"
    assert len(refused.value.places) == 2


def test_the_place_of_a_decorated_route_is_its_decorator() -> None:
    app = Registrar()

    @app.get("/")
    def here() -> str:
        return ""

    item = app.__routes__().items[0]

    assert isinstance(item, Route)
    assert item.place.line == here.__code__.co_firstlineno
