"""Everything that was registered, as one flat list."""

import pytest

from kingpost.errors import RoutingError
from kingpost.routing.blueprint import Blueprint
from kingpost.routing.registrar import Registrar
from kingpost.routing.route import Include, Route, route
from kingpost.routing.table import Entry, flatten


def home() -> str:
    return ""


def show(id: int) -> str:
    return str(id)


def entries(registrar: Registrar) -> list[Entry]:
    return flatten(registrar.__routes__(), lambda kind, _scope: kind())


def lines(registrar: Registrar) -> list[tuple[str, str, str | None]]:
    return [(",".join(one.methods), one.path, one.name) for one in entries(registrar)]


def test_decorators_tables_and_calls_register_alike() -> None:
    app = Registrar()
    app.get("/a")(home)
    app.post("/b", name="made")(home)
    app.put("/c")(home)
    app.patch("/d")(home)
    app.delete("/e")(home)
    app.route("/f", methods=["GET", "POST", "GET"])(home)
    app.add_route("/g", show, methods=["PURGE"])
    app.include([Route("/h", home, name="table")])

    assert lines(app) == [
        ("GET", "/a", "home"),
        ("POST", "/b", "made"),
        ("PUT", "/c", "home"),
        ("PATCH", "/d", "home"),
        ("DELETE", "/e", "home"),
        ("GET,POST", "/f", "home"),
        ("PURGE", "/g", "show"),
        ("GET", "/h", "table"),
    ]


def test_a_decorated_function_stays_as_it_was() -> None:
    assert Registrar().get("/")(home) is home


def test_prefixes_versions_and_names_are_joined() -> None:
    inner = Blueprint("inner", prefix="/in", version="2")
    inner.get("")(home)
    inner.get("/{id}")(show)
    outer = Blueprint("outer", prefix="/out")
    outer.include(inner, prefix="/mid")
    app = Registrar()
    app.include(outer)
    app.include(outer, prefix="/again", name="twice")
    app.include([Include("/table", [Route("/x", home)], name="named")])

    assert lines(app) == [
        ("GET", "/out/mid/v2/in", "outer.inner.home"),
        ("GET", "/out/mid/v2/in/{id}", "outer.inner.show"),
        ("GET", "/again/out/mid/v2/in", "twice.inner.home"),
        ("GET", "/again/out/mid/v2/in/{id}", "twice.inner.show"),
        ("GET", "/table/x", "named.home"),
    ]


def test_a_route_knows_its_line_and_those_that_included_it() -> None:
    inner = Blueprint("inner")
    inner.get("/a")(home)
    app = Registrar()
    app.include(inner)

    source = entries(app)[0].source

    assert source.count("test_table.py:") == 2
    assert ", included at " in source


def test_what_is_registered_after_the_include_counts() -> None:
    inner = Blueprint("inner")
    app = Registrar()
    app.include(inner)
    inner.get("/late")(home)

    assert lines(app) == [("GET", "/late", "inner.home")]


def test_a_group_that_includes_itself_is_refused() -> None:
    one, two = Blueprint("one"), Blueprint("two")
    one.include(two)
    two.include(one)

    with pytest.raises(RoutingError) as refused:
        entries(one)

    assert refused.value.code == "routing.include-circle"


def test_a_route_without_a_path_needs_a_prefix() -> None:
    app = Registrar()
    app.get("")(home)

    with pytest.raises(RoutingError) as refused:
        entries(app)

    assert refused.value.code == "routing.bad-pattern"


def test_a_lambda_has_no_name() -> None:
    app = Registrar()
    app.add_route("/", lambda: "x")

    assert lines(app) == [("GET", "/", None)]


def test_a_resource_answers_by_its_methods() -> None:
    app = Registrar()

    class Base:
        def delete(self) -> None: ...

    @app.resource("/things", tags=["things"])
    class Things(Base):
        limit = 5

        def get(self) -> str:
            return ""

        def helper(self) -> str:
            return ""

        @route("", status=201)
        def post(self) -> str:
            return ""

        @route("/{id}", name="one")
        def show(self, id: int) -> str:
            return str(id)

        @route("/{id}", methods=["PUT", "PATCH"])
        def change(self, id: int) -> str:
            return str(id)

    found = entries(app)

    assert [(one.methods, one.path, one.name) for one in found] == [
        (("DELETE",), "/things", "Things"),
        (("GET",), "/things", "Things"),
        (("POST",), "/things", "Things"),
        (("GET",), "/things/{id}", "Things.one"),
        (("PUT", "PATCH"), "/things/{id}", "Things.change"),
    ]
    assert [one.options.get("status") for one in found] == [None, None, 201, None, None]
    assert all(one.options.get("tags") == ["things"] for one in found)
    assert len({id(getattr(one.handler, "__self__", None)) for one in found}) == 1


def test_a_resource_without_methods_is_refused() -> None:
    app = Registrar()

    @app.resource("/things")
    class Things:
        def on_post(self) -> str:
            return ""

    with pytest.raises(RoutingError) as refused:
        entries(app)

    assert refused.value.code == "routing.empty-resource"
    assert refused.value.remedy == "rename on_post to post"
    assert Things.__name__ == "Things"


def test_the_handlers_of_the_nearest_group_are_asked_first() -> None:
    inner, outer, app = Blueprint("inner"), Blueprint("outer"), Registrar()
    outer.include(inner)
    app.include(outer)
    inner.get("/")(home)

    chain = entries(app)[0].scope.error_handlers

    assert [id(one) for one in chain] == [
        id(group.__routes__().error_handlers) for group in (inner, outer, app)
    ]


def test_a_closed_registry_takes_no_more() -> None:
    inner, app = Blueprint("inner"), Registrar()
    app.include(inner)
    app.__routes__().close()

    for registrar in (app, inner):
        with pytest.raises(RoutingError, match="was started"):
            registrar.get("/")(home)
        with pytest.raises(RoutingError, match="was started"):
            registrar.error(404)(lambda request, error: "x")
