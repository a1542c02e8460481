"""Routes of one path and method that differ by host and by predicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from kingpost import (
    App,
    BadRequest,
    Blueprint,
    BodyStream,
    CallNext,
    NotFound,
    Request,
    Response,
)
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError, NotAcceptable, RoutingError
from kingpost.middleware import Cors
from kingpost.routing import Accepts, HasHeader, HasQuery
from kingpost.testing import TestClient


def always(request: Request) -> bool:
    return True


def never(request: Request) -> bool:
    return False


def said(app: App, path: str, method: str = "GET", **fields: str) -> tuple[int, str]:
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    with TestClient(app) as browser:
        answer = browser.request(method, path, headers=headers)
    return answer.status, answer.text


def answering(text: str) -> Any:
    def handler() -> str:
        return text

    return handler


def app_of(*routes: tuple[str, dict[str, Any]], path: str = "/") -> App:
    app = App()
    for text, options in routes:
        app.add_route(path, answering(text), **options)
    return app


# ---- which one


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "reversed"])
def test_what_demands_more_answers_whatever_was_registered_first(turn: int) -> None:
    routes: Sequence[tuple[str, dict[str, Any]]] = [
        ("name", {"hosts": ["a.example.org"]}),
        ("pattern", {"hosts": ["{x}.example.org"]}),
        ("below", {"hosts": ["*.org"]}),
        ("two", {"when": [always, HasQuery("q")]}),
        ("one", {"when": HasQuery("q")}),
        ("none", {}),
    ]
    app = app_of(*routes[::turn])

    assert said(app, "/?q=1", host="a.example.org") == (200, "name")
    assert said(app, "/?q=1", host="b.example.org") == (200, "pattern")
    assert said(app, "/?q=1", host="b.c.example.org") == (200, "below")
    assert said(app, "/?q=1", host="example.com") == (200, "two")
    assert said(app, "/", host="example.com") == (200, "none")


def test_of_two_that_demand_as_much_the_first_answers() -> None:
    app = app_of(("first", {"when": always}), ("second", {"when": HasQuery("q")}))

    assert said(app, "/?q=1") == (200, "first")


def test_the_type_that_is_wanted_most_answers() -> None:
    app = app_of(
        ("page", {"when": Accepts("text/html")}),
        ("json", {"when": Accepts("application/json", "application/problem+json")}),
    )

    assert said(app, "/") == (200, "page")
    assert said(app, "/", accept="application/json, text/html;q=0.9") == (200, "json")
    assert said(app, "/", accept="application/*;q=0.1, text/*;q=0.2") == (200, "page")
    assert said(app, "/", accept="text/html;q=0, */*") == (200, "json")
    status, text = said(app, "/", accept="image/png")
    assert status == 406
    assert "text/html and application/json" in text


def test_a_route_without_predicates_is_there_for_what_nobody_else_takes() -> None:
    app = app_of(("page", {"when": Accepts("text/html")}), ("any", {}))

    assert said(app, "/", accept="image/png") == (200, "any")
    assert said(app, "/", accept="text/html") == (200, "page")


def test_the_answer_says_what_it_was_chosen_by() -> None:
    app = App()

    @app.get("/", when=[Accepts("text/html"), HasHeader("HX-Request"), HasQuery("q")])
    def part() -> Response[str]:
        return Response("part", headers={"vary": "Cookie, Accept"})

    @app.get("/")
    def whole() -> str:
        return "whole"

    with TestClient(app) as browser:
        one = browser.get("/?q=", headers={"hx-request": "true"})
        other = browser.get("/")

    assert (one.text, one.headers.get_all("vary")) == ("part", ["Cookie, Accept", "hx-request"])
    assert (other.text, other.headers.get_all("vary")) == ("whole", ["hx-request, accept"])


def of_fields(*, is_wrapped: bool) -> App:
    app = App()
    newer = Blueprint("newer", prefix="/newer", version="2", versioned_by="header")
    newer.get("/")(answering("2"))
    app.include(newer)
    app.add_route("/part", answering("part"), when=HasHeader("x-part"))
    app.add_route("/send", answering("sent"), methods=["POST"], when=HasHeader("x-send"))
    app.add_route("/rest/one", answering("one"), when=HasHeader("x-one"))
    app.add_route("/rest/{page}", answering_with("page"), when=HasHeader("x-page"))
    app.add_route("/plain", answering("plain"))
    if is_wrapped:

        @app.middleware
        async def around(request: Request, call_next: CallNext) -> Response[Any]:
            return await call_next(request)

    return app


@pytest.mark.parametrize("is_wrapped", [False, True], ids=["alone", "behind middleware"])
@pytest.mark.parametrize(
    ("method", "path", "fields", "said"),
    [
        ("GET", "/newer/", {}, (404, "accept, api-version")),
        ("GET", "/part", {}, (404, "accept, x-part")),
        ("POST", "/part", {"x-part": ""}, (405, "accept, x-part")),
        ("POST", "/part", {}, (404, "accept, x-part")),
        ("OPTIONS", "/part", {"x-part": ""}, (204, "x-part")),
        ("GET", "/part/", {"x-part": ""}, (308, "x-part")),
        ("GET", "/part/", {}, (404, "accept, x-part")),
        ("GET", "/send", {"x-send": ""}, (405, "accept, x-send")),
        ("GET", "/send", {}, (404, "accept, x-send")),
        ("GET", "/rest/one", {}, (404, "accept, x-one, x-page")),
        ("GET", "/rest/one", {"x-page": ""}, (200, "x-one, x-page")),
        ("POST", "/plain", {}, (405, "accept")),
        ("GET", "/plain/", {}, (308, "")),
        ("GET", "/nowhere", {}, (404, "accept")),
    ],
)
def test_what_is_said_where_no_route_answers_names_the_fields_that_were_looked_at(
    method: str, path: str, fields: dict[str, str], said: tuple[int, str], is_wrapped: bool
) -> None:
    with TestClient(of_fields(is_wrapped=is_wrapped), follow_redirects=False) as browser:
        answer = browser.request(method, path, headers=fields)

    assert (answer.status, ", ".join(answer.headers.get_all("vary"))) == said


def test_the_fields_are_named_whoever_words_the_refusal() -> None:
    app = of_fields(is_wrapped=False)

    @app.error(NotFound)
    def missing(request: Request, error: NotFound) -> Response[str]:
        return Response("nothing", headers={"vary": "cookie"})

    with TestClient(app) as browser:
        answer = browser.get("/part/")

    assert (answer.text, answer.headers.get_all("vary")) == ("nothing", ["cookie", "x-part"])


# ---- where none is meant


def test_none_is_404_and_other_methods_are_405() -> None:
    app = App()
    app.add_route("/", answering("a"), hosts=["a.org"])
    app.add_route("/", answering("b"), hosts=["b.org"], methods=["POST"])

    assert said(app, "/", host="c.org")[0] == 404
    assert said(app, "/", "POST", host="c.org")[0] == 404
    assert said(app, "/", "OPTIONS", host="c.org")[0] == 404
    with TestClient(app) as browser:
        refused = browser.post("/", headers={"host": "a.org"})
        asked = browser.request("OPTIONS", "/", headers={"host": "b.org"})
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (asked.status, asked.headers["allow"]) == (204, "OPTIONS, POST")


def test_the_next_pattern_is_asked() -> None:
    app = App()
    app.add_route("/about", answering("about"), hosts=["a.org"])
    app.add_route("/{page}", answering_with("page"), hosts=["b.org"])
    app.add_route("/{id:int}", answering_with("id"))
    app.add_route("/{rest:path}", answering_with("rest"), methods=["GET", "POST"])

    assert said(app, "/about", host="a.org") == (200, "about")
    assert said(app, "/about", host="b.org") == (200, "{'page': 'about'}")
    assert said(app, "/about", host="c.org") == (200, "{'rest': 'about'}")
    assert said(app, "/7", host="b.org") == (200, "{'id': '7'}")
    assert said(app, "/a%2Fb", host="b.org") == (200, "{'rest': 'a/b'}")
    assert said(app, "/about", "POST", host="b.org") == (200, "{'rest': 'about'}")


def answering_with(_name: str) -> Any:
    def handler(request: Request) -> str:
        return str(request.path_params)

    return handler


def test_routes_of_one_shape_keep_their_own_parameters() -> None:
    app = App()

    @app.get("/{first}/{second}", hosts=["a.org"])
    def one(first: str, second: int) -> str:
        return f"{first} {second}"

    @app.get("/{second}/{first}", hosts=["{tenant}.b.org"])
    def two(first: str, second: str, tenant: str) -> str:
        return f"{first} {second} {tenant}"

    assert said(app, "/x/7", host="a.org") == (200, "x 7")
    assert said(app, "/x/y", host="a.org")[0] == 404
    assert said(app, "/x/y", host="T.b.org") == (200, "y x t")


def test_slashes_lead_to_where_the_host_has_the_path() -> None:
    app = app_of(("a", {"hosts": ["a.org"]}), path="/x")

    assert said(app, "/x/", host="a.org")[0] == 308
    assert said(app, "/x/", host="b.org")[0] == 404


# ---- as if it were alone


def test_every_kind_of_handler_answers() -> None:
    app = App()
    log: list[str] = []

    @app.provide
    def text() -> Text:
        return Text("made")

    async def around(request: Request, call_next: Any) -> Any:
        log.append(request.path_params["kind"])
        return await call_next(request)

    @app.get("/{kind}", when=HasQuery("thread"))
    def on_a_thread(kind: str, text: Text) -> str:
        return f"{kind} {text}"

    @app.get("/{kind}", when=HasQuery("loop"), middleware=[around])
    async def on_the_loop(kind: str, *, n: int = 2) -> dict[str, int]:
        return {kind: n}

    @app.get("/{kind}", when=HasQuery("inline"), inline=True, status=202)
    def in_place(*, kind: str) -> bytes:
        return kind.encode()

    @app.get("/{kind}", when=HasQuery("stream"))
    async def streamed(kind: str) -> Any:
        yield kind
        yield kind

    assert said(app, "/x?thread") == (200, "x made")
    assert said(app, "/y?loop&n=3") == (200, '{"y":3}')
    assert said(app, "/y?loop&n=a")[0] == 422
    assert said(app, "/z?inline") == (202, "z")
    assert said(app, "/s?stream") == (200, "ss")
    assert log == ["y", "y"]


class Text(str):
    __slots__ = ()


def test_errors_are_the_routes_own() -> None:
    app = App()
    inner = Blueprint("inner")

    @inner.error(BadRequest)
    def told(request: Request, error: BadRequest) -> str:
        return f"inner: {error.detail} {request.url_for('.fails')}"

    @inner.error(NotAcceptable)
    async def no_type(request: Request, error: NotAcceptable) -> str:
        return "inner: no such type"

    @inner.get("/", when=HasQuery("q"))
    def fails() -> str:
        raise BadRequest("no")

    @inner.get("/types", when=Accepts("text/html"))
    def typed() -> str:
        return ""

    @app.get("/")
    def other() -> str:
        raise BadRequest("other")

    app.include(inner)

    assert said(app, "/?q") == (400, "inner: no /")
    assert said(app, "/")[1].startswith('{"type"')
    assert said(app, "/types", accept="image/png") == (406, "inner: no such type")


def test_bodies_have_the_limit_of_the_route_that_is_meant() -> None:
    app = App()

    @app.post("/", when=HasQuery("small"), max_body=4)
    def small(request: Request) -> int:
        return len(request.body)

    @app.post("/", max_body=10)
    def large(request: Request) -> int:
        return len(request.body)

    with TestClient(app) as browser:
        found = [
            browser.post(path, content=b"x" * size).status
            for path, size in [("/?small", 4), ("/?small", 5), ("/", 10), ("/", 11)]
        ]

    assert found == [200, 413, 200, 413]


def test_predicates_that_fail_are_a_500() -> None:
    def broken(request: Request) -> bool:
        raise LookupError("broken")

    with TestClient(app_of(("x", {"when": broken})), raise_errors=False) as browser:
        assert browser.get("/").status == 500


def test_overrides_reach_routes_that_are_chosen() -> None:
    app = App()

    @app.provide
    def text() -> Text:
        return Text("made")

    @app.get("/", when=always)
    def home(text: Text) -> str:
        return text

    with TestClient(app) as browser:
        with app.override(Text, Text("other")):
            assert browser.get("/").text == "other"
        assert browser.get("/").text == "made"


def test_middleware_that_trusts_another_site_is_found_before_the_choice() -> None:
    app = App()
    app.add_route(
        "/",
        answering("x"),
        methods=["POST"],
        when=always,
        middleware=[Cors(origins=["https://other.org"], credentials=True)],
    )
    fields = {"cookie": "a=b", "origin": "https://other.org", "sec_fetch_site": "cross-site"}

    assert said(app, "/", "POST", **fields) == (200, "x")
    assert said(app, "/", "POST", **{**fields, "origin": "https://evil.org"})[0] == 403


# ---- urls


def test_urls_lead_to_the_host_of_the_route() -> None:
    app = App(hosts=["example.org"])

    @app.get("/", hosts=["example.org", "{tenant}.example.org"])
    def home(request: Request, tenant: str | None = None) -> str:
        return " ".join(
            [
                request.url_for("home"),
                request.url_for("home", tenant="b", q=1),
                request.url_for("admin"),
                request.url_for("home", absolute=True),
            ]
        )

    @app.get("/x", hosts=["admin.example.org"])
    def admin(request: Request) -> str:
        return request.url_for("home", tenant="admin")

    with TestClient(app) as browser:
        seen = browser.get("/", headers={"host": "a.example.org:8000"}).text
        there = browser.get("/x", headers={"host": "admin.example.org"}).text

    assert seen == (
        "/ http://b.example.org:8000/?q=1 http://admin.example.org:8000/x http://a.example.org:8000/"
    )
    assert there == "/"
    assert app.url_for("admin") == "https://admin.example.org/x"
    assert app.url_for("home") == "https://example.org/"
    assert app.url_for("home", tenant="c") == "https://c.example.org/"
    for bad in ("a.b", "a/b", "", "-", "evil.org#"):
        with pytest.raises(RoutingError, match="no label of a host name"):
            app.url_for("home", tenant=bad)


def test_a_host_that_is_not_said_is_no_url() -> None:
    app = App()
    app.add_route("/", answering("x"), hosts=["{tenant}.example.org"], name="home")

    with pytest.raises(RoutingError, match=r"stands at \{tenant\}.example.org"):
        app.url_for("home")


# ---- at the start


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"hosts": ["a.org"]}, {"hosts": ["b.org", "A.org"]}),
        ({"hosts": ["{x}.org"]}, {"hosts": ["{y}.org"]}),
        ({"when": Accepts("text/html")}, {"when": [Accepts("Text/HTML")]}),
        ({"when": HasHeader("X-A")}, {"when": HasHeader("x-a")}),
        ({"when": [always, never]}, {"when": [never, always]}),
        ({"when": always, "hosts": ["a.org"]}, {"when": always, "hosts": ["a.org"]}),
    ],
    ids=str,
)
def test_two_that_no_request_tells_apart_are_refused(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    app = app_of(("one", one), ("other", other))

    with pytest.raises(RoutingError, match=r"(?s)test_choosing.py:\d+ .*test_choosing.py:\d+ collide") as caught:  # fmt: skip
        compile_app(app, mode="test")
    assert caught.value.code == "routing.conflict"


def test_plain_routes_beside_chosen_ones_still_conflict() -> None:
    app = app_of(("one", {}), ("two", {"when": always}), ("three", {}))

    with pytest.raises(RoutingError, match="collide"):
        compile_app(app, mode="test")


def test_routes_that_differ_are_no_conflict() -> None:
    app = app_of(("one", {"hosts": ["a.org"]}), ("two", {"hosts": ["a.org"], "when": always}))

    assert said(app, "/", host="a.org") == (200, "two")


def test_a_parameter_that_not_every_host_has_needs_a_default() -> None:
    app = App()

    @app.get("/", hosts=["a.org", "{x}.a.org"])
    def home(x: str) -> str:
        return x

    with pytest.raises(ConfigurationError, match="not every host") as caught:
        compile_app(app, mode="test")
    assert caught.value.code == "binding.host-parameter"


def test_one_name_in_path_and_host_is_refused() -> None:
    app = App()

    @app.get("/{x}", hosts=["{x}.a.org"])
    def home(x: str) -> str:
        return x

    with pytest.raises(RoutingError, match="both called 'x'"):
        compile_app(app, mode="test")


def test_a_body_is_taken_unread_by_all_or_none() -> None:
    app = App()

    @app.post("/", when=always)
    async def streams(body: BodyStream) -> str:
        return ""

    @app.post("/")
    def reads(request: Request) -> str:
        return ""

    with pytest.raises(RoutingError) as caught:
        compile_app(app, mode="test")
    assert caught.value.code == "routing.mixed-bodies"
    assert len(caught.value.places) == 2


def test_an_app_without_conditions_has_no_choices() -> None:
    compiled = compile_app(app_of(("x", {})), mode="test")

    assert compiled.dispatch.choices is None
    assert len(compiled.plans) == len(compiled.routes) == 1
