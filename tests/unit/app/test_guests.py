"""Applications of ASGI and WSGI that are mounted in an App."""

from __future__ import annotations

import contextlib
import http.client
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import pytest
from flask import Flask, request, url_for
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from kingpost import App, Request, Response
from kingpost.checks import Metrics
from kingpost.errors import RoutingError
from kingpost.testing import TestClient
from tests.security.rig import serving

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def flask_app() -> Flask:
    shop = Flask("shop")

    @shop.route("/", methods=["GET", "POST"])
    def home() -> str:
        return f"{request.script_root}|{request.path}|{url_for('home')}|{len(request.get_data())}"

    return shop


def starlette_app() -> Starlette:
    async def home(request: StarletteRequest) -> JSONResponse:
        body = await request.body()
        return JSONResponse(
            [request.scope["root_path"], request.url.path, str(request.url_for("home")), len(body)]
        )

    return Starlette(routes=[Route("/", home, name="home", methods=["GET", "POST"])])


async def whole_path(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 404, "headers": []})
    body = f"{scope['method']} {scope['root_path']}|{scope['path']}".encode()
    await send({"type": "http.response.body", "body": body})


def plain_wsgi(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    start("404 Not Found", [("X-Theirs", "1")])
    return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]


def test_they_stand_beside_our_routes_and_know_where() -> None:
    app = App()
    app.mount("/shop", flask_app())
    app.mount("/api", starlette_app())

    @app.get("/")
    def home() -> str:
        return "ours"

    with TestClient(app) as browser:
        assert browser.get("/").text == "ours"
        assert browser.get("/shop/").text == "/shop|/|/shop/|0"
        assert browser.post("/shop/", content=b"abc").text == "/shop|/|/shop/|3"
        root, path, url, length = browser.post("/api/", content=b"abc").json()
        assert (root, path, length) == ("/api", "/api/", 3)
        assert url.endswith("/api/")
        assert browser.get("/shopping").status == 404
        assert browser.get("/none").status == 404


def test_behind_every_route_of_ours_they_answer_what_is_left() -> None:
    app = App()

    @app.get("/polls/{id:int}/")
    def poll(id: int) -> str:
        return f"ours {id}"

    app.mount("/", whole_path)
    with TestClient(app) as browser:

        def said(method: str, path: str) -> tuple[int, str]:
            answer = browser.request(method, path)
            return answer.status, answer.text

        assert said("GET", "/polls/1/") == (200, "ours 1")
        assert said("GET", "/polls/1") == (404, "GET |/polls/1")
        assert said("GET", "/polls/x/") == (404, "GET |/polls/x/")
        assert said("POST", "/polls/1/") == (404, "POST |/polls/1/")
        assert said("PROPFIND", "/") == (404, "PROPFIND |/")
        assert said("GET", "/") == (404, "GET |/")
        options = browser.request("OPTIONS", "/polls/1/")
        assert (options.status, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


def test_the_longest_path_is_asked_first() -> None:
    app = App()
    app.mount("/", whole_path)
    app.mount("/a/b", plain_wsgi)
    app.mount("/a", plain_wsgi)
    with TestClient(app) as browser:
        for path, text in (
            ("/a/b/c", "/a/b|/c"),
            ("/a/b", "/a/b|"),
            ("/a/x", "/a|/x"),
            ("/ab", "GET |/ab"),
            ("/%61/x", "/a|/x"),
        ):
            assert browser.get(path).text == text


def test_one_in_an_app_that_is_mounted_has_its_whole_path() -> None:
    inner, outer = App(), App()
    inner.mount("/b", plain_wsgi)
    outer.mount("/a", inner)
    with TestClient(outer) as browser:
        assert browser.get("/a/b/c").text == "/a/b|/c"


def test_nothing_of_ours_is_around_them() -> None:
    app = App(hosts=["example.org"])
    calls: list[str] = []

    @app.before_request
    def before(request: Request) -> None:
        calls.append("before")

    @app.after_request
    def after(request: Request, response: Response[Any]) -> None:
        calls.append("after")

    @app.error(404)
    def lost(request: Request, error: Exception) -> str:
        return "ours"

    app.mount("/", plain_wsgi)
    with serving(app) as rig:
        answer = rig.talk(
            b"POST / HTTP/1.1\r\nhost: other.example\r\ncookie: a=b\r\norigin: https://evil.example\r\n"
            b"sec-fetch-site: cross-site\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    assert first == b"HTTP/1.1 404 Not Found"
    assert [line.partition(b":")[0] for line in fields] == [
        b"date",
        b"X-Theirs",
        b"content-length",
        b"connection",
    ]
    assert body == b"|/"
    assert calls == []


def test_what_they_raise_is_reported_as_ours_is() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise LookupError("theirs")

    app = App()
    app.mount("/", fails)
    with TestClient(app) as browser, pytest.raises(LookupError, match="theirs"):
        browser.get("/")


def test_each_is_started_and_stopped_once_inside_of_ours() -> None:
    log: list[str] = []

    def named(name: str) -> Any:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await receive()
                log.append(f"{name} starts")
                scope["state"]["name"] = name
                await send({"type": "lifespan.startup.complete"})
                await receive()
                log.append(f"{name} stops")
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": scope["state"]["name"].encode()})

        return app

    app = App()

    @app.lifespan
    async def ours() -> Any:
        log.append("ours starts")
        yield
        log.append("ours stops")

    app.mount("/one", named("one"))
    app.mount("/two", named("two"))
    with TestClient(app) as browser:
        assert browser.get("/one").text == "one"
        assert browser.get("/two").text == "two"
    assert log == [
        "ours starts",
        "one starts",
        "two starts",
        "two stops",
        "one stops",
        "ours stops",
    ]


def test_a_body_that_is_too_large_for_one_is_413() -> None:
    app = App()
    app.mount("/shop", flask_app(), max_body=10)
    with TestClient(app) as browser:
        assert browser.post("/shop/", content=b"x" * 10).status == 200
        assert browser.post("/shop/", content=b"x" * 11).status == 413


def ambiguous(*arguments: Any) -> Any: ...


@pytest.mark.parametrize(
    ("arguments", "named", "code"),
    [
        (("/a", ambiguous), {}, "routing.bad-mount"),
        (("/a", 5), {}, "routing.bad-mount"),
        (("/{a}", plain_wsgi), {}, "routing.bad-mount"),
        (("/a", plain_wsgi), {"hosts": ["a.org"]}, "routing.bad-mount"),
        (("/a", App()), {"interface": "asgi"}, "routing.bad-mount"),
        (("/a", App()), {"max_body": 5}, "routing.bad-mount"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[Any, ...], named: dict[str, Any], code: str
) -> None:
    with pytest.raises(RoutingError) as refused:
        App().mount(*arguments, **named)
    assert refused.value.code == code


def test_two_at_one_path_are_refused() -> None:
    app = App()
    app.mount("/a", plain_wsgi)
    app.mount("/a", whole_path)
    with pytest.raises(RoutingError, match="two applications are mounted at /a"), TestClient(app):
        pass


def test_one_in_an_app_with_a_host_of_its_own_is_refused() -> None:
    inner, outer = App(), App()
    inner.mount("/b", plain_wsgi)
    outer.mount("/a", inner, hosts=["a.org"])
    with pytest.raises(RoutingError, match="every host"), TestClient(outer):
        pass


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin%2Fx"),
        ("GET", "/admin%2fx"),
        ("HEAD", "/admin%2Fx"),
        ("OPTIONS", "/admin%2Fx"),
        ("GET", "/%61dmin%2F%78"),
        ("GET", "%2Fadmin/x"),
        ("GET", "/users%2F7"),
        ("GET", "/w%2Fdeep/x"),
        ("GET", "/w%2Fdeep"),
    ],
)
def test_an_encoded_slash_does_not_lead_past_a_route_or_into_another_mount(
    method: str, path: str
) -> None:
    app = App()

    @app.get("/admin/x")
    def admin() -> str:
        return "ours"

    @app.get("/users/{id:int}")
    def user(id: int) -> str:
        return f"ours {id}"

    app.mount("/", whole_path)
    app.mount("/w/deep", plain_wsgi)
    with serving(app) as rig:
        connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(method, path)
            connection.endheaders()
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status in (400, 404, 405)
            assert "|" not in text, "a guest was asked"
            assert answer.getheader("x-theirs") is None


def test_an_encoded_slash_that_decides_nothing_is_the_guests() -> None:
    app = App()

    @app.get("/admin/x")
    def admin() -> str:
        return "ours"

    app.mount("/", whole_path)
    app.mount("/w/deep", plain_wsgi)
    with TestClient(app) as browser:
        for method, path, text in (
            ("GET", "/admin%2Fy", "GET |/admin/y"),
            ("POST", "/admin%2Fx", "POST |/admin/x"),
            ("GET", "/a%2Fb%252Fc", "GET |/a/b%2Fc"),
            ("GET", "/w/deep/a%2Fb", "/w/deep|/a/b"),
        ):
            assert browser.request(method, path).text == text


def test_what_they_answer_is_measured_once_and_forgotten() -> None:
    app = App(plugins=[Metrics()])
    app.mount("/asgi", whole_path)
    app.mount("/wsgi", plain_wsgi)
    with TestClient(app) as browser:
        for path in ("/asgi/a", "/asgi/b", "/wsgi/a"):
            assert browser.get(path).status == 404
        said = browser.get("/metrics").text
    counted = dict(
        re.findall(
            r'^http_server_request_duration_seconds_count\{.*route="(/.sgi/\*)".*\} (\d+)$',
            said,
            re.MULTILINE,
        )
    )
    assert counted == {"/asgi/*": "2", "/wsgi/*": "1"}, said
