"""WebSockets of an App: handshakes, what is around them, and how they end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from kingpost import (
    App,
    BackgroundTasks,
    Blueprint,
    CallNext,
    Forbidden,
    Header,
    HTTPError,
    NotFound,
    Request,
    Response,
    Route,
    Struct,
    WebSocket,
    limits,
)
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError, ServiceUnavailable
from kingpost.http.websocket import WebSocketClosed
from kingpost.middleware import Cors
from kingpost.openapi import document
from kingpost.routing import HasQuery
from kingpost.testing import AsyncTestClient, SocketRefused, TestClient
from tests.waiting import until_async


class Session(Struct):
    name: str


class Line(Struct):
    number: int


class Said(Struct):
    text: str


async def echo(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message)


def refused(client: TestClient, path: str, **options: Any) -> tuple[int, str]:
    """Status and code of the refusal of a handshake."""
    with pytest.raises(SocketRefused) as error, client.websocket(path, **options):
        pass
    response = error.value.response
    kind = response.headers.get("content-type", "")
    return response.status, response.json()["code"] if "json" in kind else response.text


# -- the handshake ---------------------------------------------------------------------------------------------------


def test_the_first_send_answers_the_handshake() -> None:
    app = App()
    seen: list[bool] = []

    @app.websocket("/")
    async def hello(ws: WebSocket) -> None:
        seen.append(ws.is_accepted)
        await ws.send("hello")
        seen.append(ws.is_accepted)

    with TestClient(app).websocket("/") as ws:
        assert ws.receive() == "hello"

    assert seen == [False, True]


def test_an_error_before_it_is_a_plain_answer() -> None:
    app = App()

    @app.websocket("/rooms/{room}")
    async def enter(ws: WebSocket, room: str) -> None:
        raise NotFound(f"no room {room}")

    assert refused(TestClient(app), "/rooms/a") == (404, "not-found")


def test_an_error_handler_words_a_refusal() -> None:
    app = App()

    @app.error(LookupError)
    def missing(request: Request, error: LookupError) -> Response[str]:
        return Response(f"not {error}", status=404)

    @app.websocket("/")
    async def enter(ws: WebSocket) -> None:
        raise LookupError("here")

    assert refused(TestClient(app), "/") == (404, "not here")


def test_an_exception_before_it_is_raised_in_the_test() -> None:
    app = App()

    @app.websocket("/")
    async def enter(ws: WebSocket) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), TestClient(app).websocket("/"):
        pass
    assert refused(TestClient(app, raise_errors=False), "/") == (500, "internal-server-error")


def test_parameters_are_checked_before_it() -> None:
    app = App()

    @app.websocket("/{number:int}")
    async def enter(ws: WebSocket, number: int, page: int, token: Annotated[str, Header()]) -> None:
        await ws.send(f"{number} {page} {token}")

    client = TestClient(app, headers={"token": "t"})

    assert refused(client, "/one?page=1") == (404, "not-found")
    assert refused(client, "/1") == (422, "validation-failed")
    assert refused(client, "/1", params={"page": "x"}) == (422, "validation-failed")
    with client.websocket("/1", params={"page": 2}) as ws:
        assert ws.receive() == "1 2 t"


def test_a_handler_that_says_nothing_has_not_refused() -> None:
    app = App()

    @app.websocket("/")
    async def silent(ws: WebSocket) -> None:
        pass

    with TestClient(app).websocket("/") as ws:
        assert list(ws) == []
        assert ws.closed == (1000, "")


def test_a_subprotocol_is_one_that_the_client_offers() -> None:
    app = App()

    @app.websocket("/")
    async def choose(ws: WebSocket, wanted: str) -> None:
        await ws.accept(subprotocol=wanted, headers={"X-Part": "chat"})
        await ws.send(f"{ws.subprotocol} of {list(ws.subprotocols)}")

    client = TestClient(app)
    with client.websocket("/?wanted=v2", subprotocols=["v1", "v2"]) as ws:
        assert ws.subprotocol == "v2"
        assert ws.receive() == "v2 of ['v1', 'v2']"
    with pytest.raises(ValueError, match="does not offer the subprotocol 'v3'"):
        with client.websocket("/?wanted=v3", subprotocols=["v1"]):
            pass


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["v1", "v2"], "v2"), (["v1", "v0"], "v1"), (["v0"], None), ([], None)],
)
def test_a_route_says_which_subprotocols_it_speaks(offered: list[str], chosen: str | None) -> None:
    app = App()

    @app.websocket("/", subprotocols=["v2", "v1"])
    async def speak(ws: WebSocket) -> None:
        async for _ in ws:
            await ws.send(str(ws.subprotocol))

    @app.websocket("/another", subprotocols=("v2",))
    async def another(ws: WebSocket) -> None:
        if "v1" in ws.subprotocols:
            await ws.accept(subprotocol="v1")

    @app.websocket("/silent", subprotocols=["v2"])
    async def silent(ws: WebSocket) -> None:
        pass

    client = TestClient(app)
    with client.websocket("/", subprotocols=offered) as ws:
        ws.send("which?")
        assert ws.receive() == str(chosen)
        assert ws.subprotocol == chosen
    with client.websocket("/another", subprotocols=offered) as ws:
        assert ws.subprotocol == ("v1" if "v1" in offered else None)
    with client.websocket("/silent", subprotocols=["v2"]) as ws:
        assert ws.subprotocol == "v2"


@pytest.mark.parametrize("wrong", ["chat.v1", ["chat v1"], [""], [1], 7])
def test_subprotocols_are_a_list_of_names(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="subprotocols=") as error:
        App().websocket("/", subprotocols=wrong)
    assert error.value.code == "routing.bad-option"


def test_a_page_has_no_subprotocols() -> None:
    options: dict[str, Any] = {"subprotocols": ["v1"]}
    with pytest.raises(ConfigurationError, match="for WebSockets only") as error:
        App().get("/", **options)
    assert error.value.code == "routing.bad-option"


def test_what_is_sent_is_waited_for_as_any_coroutine() -> None:
    app = App()

    @app.websocket("/")
    async def send(ws: WebSocket) -> None:
        await asyncio.wait_for(ws.send("a"), 60)
        await asyncio.gather(ws.send("b"), ws.send("c"))
        async with asyncio.TaskGroup() as group:
            group.create_task(ws.send("d"))

    with TestClient(app).websocket("/") as ws:
        assert list(ws) == ["a", "b", "c", "d"]


def test_one_iteration_ends_and_another_takes_up_where_it_was() -> None:
    app = App()

    @app.websocket("/")
    async def halves(ws: WebSocket) -> None:
        async for message in ws:
            await ws.send(f"1 {message}")
            break
        await ws.send(f"2 {await ws.receive()}")
        async for message in ws:
            await ws.send(f"3 {message}")

    with TestClient(app).websocket("/") as ws:
        for text in "abcd":
            ws.send(text)
        assert [ws.receive() for _ in range(4)] == ["1 a", "2 b", "3 c", "3 d"]


def test_it_is_answered_once() -> None:
    app = App()

    @app.websocket("/")
    async def twice(ws: WebSocket) -> None:
        await ws.send("hello")
        with pytest.raises(RuntimeError, match="was accepted already"):
            await ws.accept()

    with TestClient(app).websocket("/") as ws:
        assert ws.receive() == "hello"


def test_a_request_that_asks_for_none_is_told_to() -> None:
    app = App(routes=[Route.websocket("/echo", echo)])

    @app.websocket("/both", when=HasQuery("x"))
    async def both(ws: WebSocket) -> None:
        await echo(ws)

    answers = [TestClient(app).request(*each) for each in [("GET", "/echo"), ("POST", "/echo")]]
    chosen = TestClient(app).get("/both?x=1")

    assert [(each.status, each.json()["code"]) for each in answers] == [
        (426, "websocket.expected"),
        (426, "websocket.expected"),
    ]
    assert (chosen.status, chosen.json()["code"]) == (426, "websocket.expected")


# -- who may ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "is_refused"),
    [
        ("https://evil.example", True),
        ("null", True),
        ("", True),
        ("http://localhost.evil.example", True),
        ("http://localhost:9", True),
        ("http://localhost", False),
        ("HTTPS://LOCALHOST", False),
        ("https://shop.example.org", False),
    ],
)
def test_a_page_of_another_site_is_refused(origin: str, is_refused: bool) -> None:
    app = App(hosts=["*.example.org"])
    app.include([Route.websocket("/", echo)])
    client = TestClient(app, headers={"origin": origin})

    if is_refused:
        assert refused(client, "/") == (403, "request.cross-site")
        return
    with client.websocket("/") as ws:
        ws.send("hello")
        assert ws.receive() == "hello"


def test_cors_names_other_sites_that_may() -> None:
    app = App(middleware=[Cors(origins=["https://pages.example"], credentials=True)])
    app.include([Route.websocket("/", echo)])
    client = TestClient(app)

    with client.websocket("/", headers={"origin": "https://pages.example"}) as ws:
        ws.send("hello")
        assert ws.receive() == "hello"
    assert refused(client, "/", headers={"origin": "https://other.example"})[0] == 403


def test_what_is_required_is_asked_before_it() -> None:
    def no_one() -> bool:
        return False

    async def members(request: Request) -> None:
        if "x-member" not in request.headers:
            raise Forbidden("members only", code="members-only")

    app = App()
    group = Blueprint("group", prefix="/group", requires=members)

    @app.websocket("/closed", requires=no_one)
    async def closed(ws: WebSocket) -> None:
        await ws.send("never")

    group.websocket("/open")(echo)
    app.include(group)
    client = TestClient(app)

    assert refused(client, "/closed") == (403, "forbidden")
    assert refused(client, "/group/open") == (403, "members-only")
    with client.websocket("/group/open", headers={"x-member": "1"}) as ws:
        ws.send("in")
        assert ws.receive() == "in"


def test_a_hook_before_it_may_answer_in_its_place() -> None:
    app = App()

    @app.before_request
    def closed(request: Request) -> Response[str] | None:
        return Response("closed", status=503) if "shut" in request.query else None

    app.include([Route.websocket("/", echo)])
    client = TestClient(app)

    assert refused(client, "/?shut=1") == (503, "closed")
    with client.websocket("/") as ws:
        ws.send("open")
        assert ws.receive() == "open"


# -- what is around it -----------------------------------------------------------------------------------------------


def test_middleware_is_around_the_whole_conversation() -> None:
    app = App()
    order: list[str] = []

    @app.middleware
    async def noted(request: Request, call_next: CallNext) -> Response[Any]:
        order.append("in")
        response = await call_next(request)
        order.append(f"out {response.status}")
        return response

    @app.after_request
    def after(response: Response[Any]) -> None:
        order.append("after")

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        order.extend([message async for message in ws])

    with TestClient(app).websocket("/") as ws:
        ws.send("hello")

    assert order == ["in", "hello", "after", "out 204"]


def test_middleware_sees_a_refusal_and_may_refuse() -> None:
    app = App()

    @app.middleware
    async def shut(request: Request, call_next: CallNext) -> Response[Any]:
        if "shut" in request.query:
            return Response("shut", status=503)
        response = await call_next(request)
        response.headers["x-seen"] = str(response.status)
        return response

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        raise Forbidden("no")

    client = TestClient(app)

    assert refused(client, "/?shut=1") == (503, "shut")
    with pytest.raises(SocketRefused) as error, client.websocket("/"):
        pass
    assert error.value.response.headers["x-seen"] == "403"


def test_providers_last_as_long_as_the_conversation() -> None:
    app = App()
    order: list[str] = []

    @app.provide
    async def session(name: str = "ada") -> AsyncIterator[Session]:
        order.append("begin")
        try:
            yield Session(name)
        except ZeroDivisionError:
            order.append("roll back")
            raise
        order.append("commit")

    @app.websocket("/")
    async def talk(ws: WebSocket, session: Session) -> None:
        async for message in ws:
            order.append(f"{session.name} {message}")
            if message == "fail":
                raise ZeroDivisionError

    client = TestClient(app, raise_errors=False)
    with client.websocket("/") as ws:
        ws.send("one")
    with client.websocket("/?name=bob") as ws:
        ws.send("fail")
        assert list(ws) == []

    assert order == ["begin", "ada one", "commit", "begin", "bob fail", "roll back"]


def test_what_a_provider_makes_is_replaced_in_a_test() -> None:
    app = App()

    @app.provide
    async def session() -> Session:
        return Session("real")

    @app.websocket("/")
    async def talk(ws: WebSocket, session: Session) -> None:
        await ws.send(session.name)

    with TestClient(app) as client:
        for name in ("fake", "other"):
            with app.override(Session, Session(name)), client.websocket("/") as ws:
                assert ws.receive() == name
        with client.websocket("/") as ws:
            assert ws.receive() == "real"


def test_a_provider_of_a_connection_is_finished_when_that_closes() -> None:
    app = App()
    order: list[str] = []

    @app.provide(scope="connection")
    async def line() -> AsyncIterator[Line]:
        order.append("up")
        yield Line(7)
        order.append("down")

    @app.websocket("/")
    async def talk(ws: WebSocket, line: Line) -> None:
        order.extend([message async for message in ws])

    with TestClient(app) as client:
        with client.websocket("/") as ws:
            ws.send("hello")

    assert order == ["up", "hello", "down"]


def test_what_is_left_to_do_is_done_behind_it() -> None:
    app = App()
    done: list[str] = []

    @app.websocket("/")
    async def talk(ws: WebSocket, background: BackgroundTasks) -> None:
        background.add_task(done.append, "counted")
        await ws.send(f"{len(done)}")

    with TestClient(app) as client:
        with client.websocket("/") as ws:
            assert ws.receive() == "0"

    assert done == ["counted"]


# -- where it stands -------------------------------------------------------------------------------------------------


def test_it_stands_in_tables_blueprints_resources_and_mounted_apps() -> None:
    inner = App()

    @inner.websocket("/live")
    async def live(ws: WebSocket, request: Request) -> None:
        await ws.send(request.url_for("live"))

    @inner.resource("/quotes")
    class Quotes:
        def get(self) -> str:
            return "quote"

        async def websocket(self, ws: WebSocket) -> None:
            await ws.send("quotes")

    app = App(routes=[Route.websocket("/echo", echo, name="repeat")])
    part = Blueprint("part", prefix="/part", version="1")
    part.websocket("/echo")(echo)
    app.include(part)
    app.mount("/inner", inner)

    with TestClient(app) as client:
        for path in ("/echo", "/v1/part/echo"):
            with client.websocket(path) as ws:
                ws.send(path)
                assert ws.receive() == path
        with client.websocket("/inner/live") as ws:
            assert ws.receive() == "/inner/live"
        with client.websocket("/inner/quotes") as ws:
            assert ws.receive() == "quotes"
        assert client.get("/inner/quotes").text == "quote"

    assert app.url_for("repeat") == "/echo"
    assert app.url_for("part.echo") == "/v1/part/echo"


def test_one_of_several_is_chosen_by_host_and_query() -> None:
    app = App()

    @app.websocket("/", hosts=["{tenant}.example.org"])
    async def of_tenant(ws: WebSocket, tenant: str) -> None:
        await ws.send(tenant)

    @app.websocket("/", when=HasQuery("loud"))
    async def loud(ws: WebSocket[str, list[str]]) -> None:
        await ws.send(["LOUD"])

    @app.websocket("/")
    async def plain(ws: WebSocket) -> None:
        raise Forbidden("not so")

    @app.get("/")
    def page() -> str:
        return "page"

    client = TestClient(app)
    with client.websocket("/", headers={"host": "acme.example.org"}) as ws:
        assert ws.receive() == "acme"
    with client.websocket("/?loud=1") as ws:
        assert ws.receive_json() == ["LOUD"]
    assert refused(client, "/") == (403, "forbidden")
    assert client.get("/").text == "page"


def test_it_is_listed_and_explained_and_no_operation_of_openapi() -> None:
    app = App(routes=[Route.websocket("/echo", echo)])
    compiled = compile_app(app, mode="test")

    explained = compiled.explain("/echo")

    assert [(each.methods, each.path, each.name) for each in compiled.routes] == [
        (("WEBSOCKET",), "/echo", "echo")
    ]
    assert explained.startswith("WEBSOCKET /echo\n")
    assert "the WebSocket: str in, str out" in explained
    assert "body:" not in explained
    assert document(app)["paths"] == {}


def test_a_resource_gives_its_websocket_the_options_that_fit() -> None:
    app = App()

    @app.resource("/things", status=201, tags=["things"])
    class Things:
        def post(self) -> str:
            return "made"

        async def websocket(self, ws: WebSocket) -> None:
            await ws.send("hello")

    with TestClient(app) as client:
        assert client.post("/things").status == 201
        with client.websocket("/things") as ws:
            assert ws.receive() == "hello"


# -- how it ends -----------------------------------------------------------------------------------------------------


def ended(app: App, **options: Any) -> tuple[int, str] | None:
    """Code and reason of a conversation that the App ends."""
    with TestClient(app, raise_errors=False).websocket("/", **options) as ws:
        assert list(ws) == ["hello"]
        return ws.closed


def test_an_exception_closes_it_with_1011_and_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()
    told: list[BaseException] = []

    @app.extensions.error_reporter
    def report(error: BaseException, request: Request | None) -> None:
        told.append(error)

    @app.websocket("/")
    async def fail(ws: WebSocket) -> None:
        await ws.send("hello")
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        assert ended(app) == (1011, "")
    assert [type(each) for each in told] == [ZeroDivisionError]
    with pytest.raises(ZeroDivisionError), TestClient(app).websocket("/") as ws:
        list(ws)


@pytest.mark.parametrize(
    ("error", "farewell"),
    [
        (Forbidden("no more"), (1008, "no more")),
        (NotFound("é" * 100), (1008, "é" * 61)),
        (ServiceUnavailable("later"), (1013, "")),
        (HTTPError("broken", status=500), (1011, "")),
        (KeyError("secret"), (1008, "")),
    ],
)
@pytest.mark.parametrize("is_layered", [False, True])
def test_what_an_error_would_be_answered_with_chooses_the_code(
    error: Exception, farewell: tuple[int, str], is_layered: bool
) -> None:
    app = App()
    if is_layered:

        @app.middleware
        async def layer(request: Request, call_next: CallNext) -> Response[Any]:
            return await call_next(request)

    @app.error(KeyError)
    async def missing(request: Request, error: KeyError) -> Response[str]:
        return Response("nothing", status=404)

    @app.websocket("/")
    async def fail(ws: WebSocket) -> None:
        await ws.send("hello")
        raise error

    assert ended(app) == farewell


def test_the_handler_may_end_it_with_a_code_of_its_own() -> None:
    app = App()

    @app.websocket("/")
    async def leave(ws: WebSocket) -> None:
        await ws.send("hello")
        await ws.close(4001, "good-bye")
        await ws.close()
        with pytest.raises(WebSocketClosed) as closed:
            await ws.send("too late")
        assert (closed.value.code, ws.closed) == (4001, (4001, "good-bye"))

    assert ended(app) == (4001, "good-bye")


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (999, "", "is no code"),
        (1005, "", "is no code"),
        (5000, "", "is no code"),
        (1000, "x" * 124, "more than 123 bytes"),
    ],
)
def test_a_code_that_does_not_exist_is_refused(code: int, reason: str, words: str) -> None:
    app = App()

    @app.websocket("/")
    async def leave(ws: WebSocket) -> None:
        await ws.send("hello")
        with pytest.raises(ValueError, match=words):
            await ws.close(code, reason)

    assert ended(app) == (1000, "")


def test_a_client_that_goes_ends_the_iteration_and_is_no_error() -> None:
    app = App()
    ends: list[object] = []

    @app.websocket("/iterates")
    async def iterates(ws: WebSocket) -> None:
        async for _ in ws:
            pass
        ends.append(ws.closed)

    @app.websocket("/receives")
    async def receives(ws: WebSocket) -> None:
        try:
            await ws.receive()
        except WebSocketClosed as error:
            ends.append((error.code, error.reason))
            raise

    client = TestClient(app)
    for path in ("/iterates", "/receives"):
        with client.websocket(path) as ws:
            ws.close(4002, "bye")

    assert ends == [(4002, "bye"), (4002, "bye")]


def test_a_handler_that_only_sends_is_ended_when_its_client_is_long_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "WEBSOCKET_AFTERLIFE_SECONDS", 0.01)
    app = App()
    ends: list[str] = []

    @app.websocket("/")
    async def push(ws: WebSocket) -> None:
        await ws.send("hello")
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("over")

    @app.websocket("/closes")
    async def closes(ws: WebSocket) -> None:
        await ws.close()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("over")

    async def test() -> None:
        async with AsyncTestClient(app) as client:
            for _ in range(3):
                async with client.websocket("/") as ws:
                    assert await ws.receive() == "hello"
            async with client.websocket("/closes"):
                pass
            await until_async(lambda: len(ends) == 4)

    asyncio.run(test())


def test_what_is_not_declared_is_not_sent() -> None:
    app = App()

    @app.websocket("/")
    async def wrong(ws: WebSocket[str, Said]) -> None:
        async for message in ws:
            await ws.send(message)  # type: ignore[arg-type]  # the mistake itself

    with TestClient(app).websocket("/") as ws:
        ws.send("hello")
        with pytest.raises(ConfigurationError) as error:
            ws.receive()

    assert error.value.code == "websocket.wrong-message"
