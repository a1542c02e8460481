"""Middleware that was written for ASGI, around routes of ours."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware

from kingpost import (
    App,
    BackgroundTasks,
    Blueprint,
    BodyStream,
    CallNext,
    NotFound,
    Request,
    Response,
    SyncCallNext,
)
from kingpost.errors import ConfigurationError
from kingpost.http import EventStream, FileResponse
from kingpost.interop import AsgiMiddleware, asgi_scope
from kingpost.interop.asgi_exchange import ClientLeft
from kingpost.interop.asgi_middleware import send_stream
from kingpost.testing import AsyncTestClient, BadReply, TestClient
from tests.unit.app.asking import ask_and_leave
from tests.waiting import until_async

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
WORD: ContextVar[str] = ContextVar("word", default="none")


class Spy:
    """Writes down what goes through it."""

    def __init__(self, app: Asgi, *, log: list[Any], name: str = "spy") -> None:
        self.app = app
        self.log = log
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.log.append((self.name, scope["path"]))

        async def sent(message: Message) -> None:
            self.log.append(dict(message))
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except BaseException as error:
            self.log.append(error)
            raise
        self.log.append("end")


def spied(app: App | None = None, **options: Any) -> tuple[App, list[Any]]:
    log: list[Any] = []
    return App(middleware=[AsgiMiddleware(Spy, log=log, **options)]), log


def middleware(function: Callable[[Asgi, Scope, Receive, Send], Awaitable[None]]) -> AsgiMiddleware:
    """A middleware that is one function."""

    def made(app: Asgi) -> Asgi:
        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            await function(app, scope, receive, send)

        return call

    return AsgiMiddleware(made)


def errors_of(log: list[Any]) -> list[str]:
    return [repr(each) for each in log if isinstance(each, Exception)]


# -- where it is, and what it is given


def test_it_runs_around_the_routes_that_have_it_and_no_others() -> None:
    log: list[Any] = []
    app = App()
    inner = Blueprint("inner", middleware=[AsgiMiddleware(Spy, log=log, name="blueprint")])
    inner.get("/in", middleware=[AsgiMiddleware(Spy, log=log, name="route")])(lambda: "x")
    app.include(inner)
    app.get("/out")(lambda: "y")

    with TestClient(app) as client:
        assert [client.get(path).text for path in ("/in", "/out")] == ["x", "y"]

    assert [each for each in log if isinstance(each, tuple)] == [
        ("blueprint", "/in"),
        ("route", "/in"),
    ]


def test_the_scope_is_what_the_specification_says() -> None:
    seen: dict[str, Any] = {}

    async def look(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope)
        await app(scope, receive, send)

    app = App(middleware=[middleware(look)])
    todos = Blueprint("todos", prefix="/todos")

    @todos.get("/{id:int}/{word}")
    async def show(id: int, word: str) -> str:
        return word

    app.include(todos)
    with TestClient(app) as client:
        client.get("/todos/7/a%20b?q=%C3%A9&q=2", headers={"X-One": "1", "Host": "example.org:81"})

    route, headers = seen.pop("route"), seen.pop("headers")
    seen.pop("kingpost.exchange")
    assert seen == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/todos/7/a b",
        "raw_path": b"/todos/7/a%20b",
        "query_string": b"q=%C3%A9&q=2",
        "root_path": "",
        "client": ("127.0.0.1", 0),
        "server": ("example.org", 81),
        "state": {},
        "extensions": {},
        "path_params": {"id": "7", "word": "a b"},
        "endpoint": show,
    }
    assert (b"x-one", b"1") in headers
    assert all(name == name.lower() for name, _ in headers)
    assert (route.path, route.path_format) == ("/todos/{id:int}/{word}", "/todos/{id}/{word}")
    assert route.name == "todos.show"


def test_no_route_is_known_of_what_none_answers() -> None:
    seen: list[Any] = []

    async def look(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope["route"], scope["endpoint"]))
        await app(scope, receive, send)

    with TestClient(App(middleware=[middleware(look)]), raise_errors=False) as client:
        assert client.get("/nowhere").status == 404

    assert seen == [None, None]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.org", ("example.org", 80)),
        ("[::1]:8000", ("[::1]", 8000)),
        ("[::1]", ("[::1]", 80)),
    ],
)
def test_the_server_is_the_one_that_was_asked_for(host: str, expected: tuple[str, int]) -> None:
    seen: list[Any] = []

    async def look(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["server"])
        await app(scope, receive, send)

    app = App(middleware=[middleware(look)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client:
        client.get("/", headers={"host": host})

    assert seen == [expected]


def test_what_it_changes_in_the_scope_is_the_handlers_to_see() -> None:
    async def change(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        scope = dict(scope, client=("203.0.113.9", 1), scheme="https", user="ann")
        await app(scope, receive, send)

    app = App(middleware=[middleware(change)])

    @app.get("/")
    def show(request: Request) -> list[str | None]:
        return [request.client, request.scheme, asgi_scope(request)["user"]]

    with TestClient(app) as client:
        assert client.get("/").json() == ["203.0.113.9", "https", "ann"]


def test_without_one_there_is_no_scope() -> None:
    app = App()

    @app.get("/")
    def show(request: Request) -> str:
        return str(asgi_scope(request))

    with TestClient(app) as client, pytest.raises(LookupError, match="no AsgiMiddleware"):
        client.get("/")


def test_a_scope_of_its_own_making_is_told() -> None:
    async def forget(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        await app({"type": "http"}, receive, send)

    app = App(middleware=[middleware(forget)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client, pytest.raises(RuntimeError, match="pass on the one it got"):
        client.get("/")


@pytest.mark.parametrize("made", [lambda app: None, lambda: None])
def test_what_is_no_asgi_middleware_is_refused_where_it_is_listed(made: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        AsgiMiddleware(made)

    assert refused.value.code == "interop.no-asgi-middleware"


# -- contexts


@pytest.mark.parametrize("path", ["/async", "/def"])
def test_context_variables_that_it_sets_are_there_for_handlers(path: str) -> None:
    async def say(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        WORD.set("said")
        await app(scope, receive, send)

    app = App(middleware=[middleware(say)])

    @app.get("/async")
    async def on_loop() -> str:
        return WORD.get()

    @app.get("/def")
    def on_thread() -> str:
        return WORD.get()

    with TestClient(app) as client:
        assert client.get(path).text == "said"


def test_what_is_around_it_has_said_is_there_for_it() -> None:
    async def outside(request: Request, call_next: CallNext) -> Response[Any]:
        WORD.set("outside")
        return await call_next(request)

    async def answer(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": WORD.get().encode()})

    app = App(middleware=[outside, middleware(answer)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client:
        assert client.get("/").text == "outside"


def test_it_stands_between_middleware_of_either_colour_on_a_full_pool() -> None:
    log: list[Any] = []

    def blocking(request: Request, call_next: SyncCallNext) -> Response[Any]:
        response = call_next(request)
        response.headers.add("x-def", "1")
        return response

    app = App(middleware=[blocking, AsgiMiddleware(Spy, log=log), blocking])

    @app.get("/def")
    def on_thread() -> str:
        time.sleep(0.01)
        return "x"

    async def main() -> list[list[str]]:
        async with AsyncTestClient(app) as client:
            answers = await asyncio.gather(*(client.get("/def") for _ in range(60)))
        return [answer.headers.get_all("x-def") for answer in answers]

    assert asyncio.run(asyncio.wait_for(main(), 60)) == [["1", "1"]] * 60


# -- answers


def test_it_may_change_status_fields_and_body() -> None:
    async def change(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"X-New", b"1"), [b"set-cookie", b"a=1"]]
                message = {**message, "status": 201, "headers": headers}
            elif message.get("body"):
                message = {**message, "body": message["body"].upper()}
            await send(message)

        await app(scope, receive, changed)

    app = App(middleware=[middleware(change)])

    @app.get("/")
    async def show() -> Response[str]:
        return Response("text").set_cookie("b", "2")

    @app.get("/stream")
    async def stream() -> AsyncIterator[str]:
        yield "one"
        yield "two"

    with TestClient(app) as client:
        whole, stream_ = client.get("/"), client.get("/stream")

    assert (whole.status, whole.text, whole.headers["x-new"]) == (201, "TEXT", "1")
    assert whole.headers["content-length"] == "4"
    assert len(whole.headers.get_all("set-cookie")) == 2
    assert (stream_.status, stream_.text) == (201, "ONETWO")


def test_gzip_of_another_framework_compresses_whole_bodies_and_streams() -> None:
    app = App(middleware=[AsgiMiddleware(GZipMiddleware, minimum_size=10)])

    @app.get("/")
    def show() -> str:
        return "word " * 1000

    @app.get("/stream")
    def stream() -> Iterator[str]:
        for _ in range(10):
            yield "word " * 100

    with TestClient(app) as client:
        for path in ("/", "/stream"):
            answer = client.get(path, headers={"accept-encoding": "gzip"})

            assert answer.headers["content-encoding"] == "gzip"
            assert gzip.decompress(answer.content).decode() == "word " * 1000


def test_one_that_runs_the_application_in_a_task_of_its_own_works() -> None:
    class Named(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            response = await call_next(request)
            response.headers["x-named"] = request.url.path
            return response

    app = App(middleware=[AsgiMiddleware(Named)])

    @app.get("/whole")
    def whole() -> str:
        return "whole"

    @app.get("/stream")
    async def stream() -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0.01)
        yield "b"

    @app.get("/fails")
    async def fails() -> str:
        raise ValueError("meant for nobody")

    @app.post("/upload")
    async def upload(body: BodyStream) -> int:
        return sum([len(chunk) async for chunk in body])

    with TestClient(app, raise_errors=False) as client:
        answers = [client.get(path) for path in ("/whole", "/stream", "/fails")]
        uploaded = client.post("/upload", content=b"x" * 200_000)

    assert [answer.text for answer in answers[:2]] == ["whole", "ab"]
    assert [answer.headers["x-named"] for answer in answers[:2]] == ["/whole", "/stream"]
    assert (answers[2].status, uploaded.text) == (500, "200000")


def test_it_may_answer_itself() -> None:
    async def refuse(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        head = [(b"content-type", b"text/plain"), (b"content-length", b"2"), (b"date", b"now")]
        await send({"type": "http.response.start", "status": 403, "headers": head})
        await send({"type": "http.response.body", "body": b"no"})

    called: list[str] = []
    app = App(middleware=[middleware(refuse)])
    app.get("/")(lambda: called.append("x"))
    with TestClient(app) as client:
        answer = client.get("/")

    assert (answer.status, answer.text, called) == (403, "no", [])
    assert len(answer.headers.get_all("date")) == 1


def test_a_length_that_it_declares_is_kept() -> None:
    async def two_parts(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        head = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"ab", "more_body": True})
        await send({"type": "http.response.body", "body": b"cd"})

    app = App(middleware=[middleware(two_parts)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client:
        answer = client.get("/")

    assert (answer.text, answer.headers["content-length"]) == ("abcd", "4")


def test_files_go_through_it_with_ranges_and_conditions(tmp_path: Path) -> None:
    small, large = tmp_path / "small.txt", tmp_path / "large.bin"
    small.write_bytes(b"0123456789")
    large.write_bytes(bytes(range(256)) * 1000)
    app, log = spied()
    app.get("/small")(lambda: FileResponse(small))
    app.get("/large")(lambda: FileResponse(large))

    with TestClient(app) as client:
        whole = client.get("/large")
        part = client.get("/large", headers={"range": "bytes=256-511"})
        wide = client.get("/large", headers={"range": "bytes=0-199999"})
        same = client.get("/small", headers={"if-none-match": client.get("/small").headers["etag"]})
        beyond = client.get("/small", headers={"range": "bytes=50-"})
        head = client.head("/large")

    assert (whole.content, whole.headers["content-length"]) == (large.read_bytes(), "256000")
    assert (part.status, part.content) == (206, bytes(range(256)))
    assert (wide.content, wide.headers["content-length"]) == (
        large.read_bytes()[:200_000],
        "200000",
    )
    assert (same.status, same.content) == (304, b"")
    assert (beyond.status, beyond.json()["code"]) == (416, "range-not-satisfiable")
    assert (head.content, head.headers["content-length"]) == (b"", "256000")
    assert errors_of(log) == []


def test_background_work_of_a_handler_follows_the_answer() -> None:
    done: list[str] = []
    app, _ = spied()

    @app.get("/")
    async def show(background: BackgroundTasks) -> str:
        background.add_task(done.append, "done")
        return "x"

    with TestClient(app) as client:
        assert client.get("/").text == "x"

    assert done == ["done"]


def test_events_keep_their_sign_of_life() -> None:
    app, _ = spied()
    is_seen = asyncio.Event()

    @app.get("/")
    async def events() -> EventStream[int]:
        async def numbers() -> AsyncIterator[int]:
            yield 1
            await is_seen.wait()
            yield 2

        return EventStream(numbers(), ping=0.05)

    text = ""
    with TestClient(app) as client, client.stream("GET", "/") as answer:
        for chunk in answer:
            text += chunk.decode()
            if ":\n\n" in text:
                is_seen.set()

    assert re.fullmatch(r"data: 1\n\n(:\n\n)+data: 2\n\n", text)


# -- exceptions


@pytest.mark.parametrize("colour", ["async", "def"])
def test_an_exception_travels_through_it_and_error_handlers_answer(colour: str) -> None:
    app, log = spied()

    async def fail_async() -> str:
        raise ValueError("for nobody")

    def fail() -> str:
        raise ValueError("for nobody")

    @app.error(ValueError)
    def worded(request: Request, error: ValueError) -> Response[str]:
        return Response("sorry", status=500)

    app.get("/")(fail if colour == "def" else fail_async)
    with TestClient(app, raise_errors=False) as client:
        answer = client.get("/")

    assert (answer.status, answer.text) == (500, "sorry")
    assert errors_of(log) == ["ValueError('for nobody')"]


def test_it_travels_through_all_of_them() -> None:
    outer: list[Any] = []
    inner: list[Any] = []
    app = App(
        middleware=[
            AsgiMiddleware(Spy, log=outer),
            AsgiMiddleware(Spy, log=inner),
        ]
    )

    @app.get("/")
    async def fail() -> str:
        raise ValueError("for nobody")

    with TestClient(app, raise_errors=False) as client:
        assert client.get("/").status == 500

    assert errors_of(outer) == errors_of(inner) == ["ValueError('for nobody')"]


def test_what_was_meant_for_the_client_is_an_answer() -> None:
    app, log = spied()

    @app.get("/missing")
    async def missing() -> str:
        raise NotFound("none")

    @app.get("/mine")
    async def mine() -> str:
        raise KeyError("mine")

    @app.error(KeyError)
    def told(request: Request, error: KeyError) -> Response[str]:
        return Response("no such key", status=404)

    with TestClient(app, raise_errors=False) as client:
        assert [client.get(path).status for path in ("/missing", "/mine", "/none")] == [404] * 3

    assert errors_of(log) == []


def test_it_may_answer_for_an_exception_and_then_nobody_else_is_told_of_it_outside() -> None:
    outside: list[Exception | None] = []

    async def look(request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        outside.append(request.failure)
        return response

    async def mend(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except ValueError:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"mended"})

    app = App(middleware=[look, middleware(mend)])

    @app.get("/")
    async def fail() -> str:
        raise ValueError("for nobody")

    with TestClient(app, raise_errors=False) as client:
        answer = client.get("/")

    assert (answer.status, answer.text, outside) == (200, "mended", [None])


def test_what_it_raises_itself_is_answered() -> None:
    async def fail(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotFound("behind the curtain")

    app = App(middleware=[middleware(fail)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client:
        answer = client.get("/")

    assert (answer.status, answer.json()["detail"]) == (404, "behind the curtain")


def test_one_that_answers_nothing_is_told() -> None:
    async def nothing(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        return

    app = App(middleware=[middleware(nothing)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client, pytest.raises(RuntimeError, match="without an answer"):
        client.get("/")


def test_a_failure_in_the_middle_of_a_stream_cuts_it_and_is_seen() -> None:
    app, log = spied()

    @app.get("/")
    async def stream() -> AsyncIterator[str]:
        yield "one"
        raise ValueError("in the middle")

    with (
        TestClient(app, raise_errors=False) as client,
        pytest.raises(BadReply, match="in the middle"),
    ):
        client.get("/")

    assert errors_of(log) == ["ValueError('in the middle')"]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([{"type": "http.response.body", "body": b""}], "before http.response.start"),
        ([{"type": "http.response.start", "status": 200}] * 2, "was sent already"),
        ([{"type": "websocket.accept"}], "is none that is understood"),
        (
            [{"type": "http.response.start", "status": 200, "headers": [(b"a", b"b\r\nc: d")]}],
            "header 'a'",
        ),
    ],
)
def test_messages_that_make_no_answer_are_refused(
    messages: list[dict[str, Any]], words: str
) -> None:
    async def send_them(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    app = App(middleware=[middleware(send_them)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client, pytest.raises((RuntimeError, ValueError), match=words):
        client.get("/")


def test_a_message_that_was_refused_may_be_sent_rightly() -> None:
    async def send_them(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        for status in (101, 700):
            with pytest.raises(ValueError, match="a Response has a final status"):
                await send({"type": "http.response.start", "status": status})
        await send({"type": "http.response.start", "status": 201})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})

    app = App(middleware=[middleware(send_them)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client:
        answer = client.get("/")

    assert (answer.status, answer.text) == (201, "ab")


def test_what_fails_behind_the_answer_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    async def late(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        await asyncio.sleep(0.02)
        raise ValueError("too late")

    app = App(middleware=[middleware(late)])
    app.get("/")(lambda: "x")
    with caplog.at_level(logging.ERROR), TestClient(app) as client:
        assert client.get("/").text == "x"

    assert "failed, after its answer" in caplog.text
    assert "too late" in caplog.text


def test_what_goes_on_behind_the_answer_is_waited_for_at_a_stop() -> None:
    done: list[str] = []

    async def late(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        await asyncio.sleep(0.1)
        done.append("done")

    app = App(middleware=[middleware(late)])
    app.get("/")(lambda: "x")
    with TestClient(app) as client:
        assert client.get("/").text == "x"

    assert done == ["done"]


# -- bodies of requests


def test_it_receives_the_body_and_so_does_the_handler() -> None:
    received: list[Message] = []

    async def read(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        received.append(await receive())
        await app(scope, receive, send)
        received.append(await receive())

    app = App(middleware=[middleware(read)])

    @app.post("/")
    def take(request: Request) -> int:
        return len(request.body)

    with TestClient(app) as client:
        assert client.post("/", content=b"12345").text == "5"

    assert received == [
        {"type": "http.request", "body": b"12345", "more_body": False},
        {"type": "http.disconnect"},
    ]


@pytest.mark.parametrize("path", ["/async", "/def"])
def test_a_stream_is_read_through_it_when_the_handler_asks(path: str) -> None:
    log: list[Any] = []

    async def double(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        async def doubled() -> Message:
            message = await receive()
            log.append(len(message["body"]))
            return {**message, "body": message["body"] * 2}

        await app(scope, doubled, send)

    app = App(middleware=[middleware(double)])

    @app.post("/async")
    async def on_loop(body: BodyStream) -> int:
        return sum([len(chunk) async for chunk in body])

    @app.post("/def")
    def on_thread(body: BodyStream) -> int:
        return sum(len(chunk) for chunk in body)

    @app.post("/unread")
    async def unread(body: BodyStream) -> str:
        return "not now"

    with TestClient(app) as client:
        assert client.post(path, content=b"x" * 500_000).text == "1000000"
        assert log == [500_000, 0]
        log.clear()
        assert client.post("/unread", content=b"x" * 1000).text == "not now"

    assert log == []


def test_the_limit_of_a_streamed_body_holds() -> None:
    app, log = spied()

    @app.post("/", max_body=1000)
    async def take(body: BodyStream) -> int:
        return sum([len(chunk) async for chunk in body])

    with TestClient(app, raise_errors=False) as client:
        assert client.post("/", content=b"x" * 1000).text == "1000"
        assert client.post("/", content=b"x" * 1001).status == 413

    assert errors_of(log) == []


# -- readers that are slow, or leave


def test_a_slow_reader_slows_the_handler_down() -> None:
    made: list[int] = []
    app, _ = spied()

    @app.get("/")
    async def much() -> AsyncIterator[bytes]:
        for number in range(1_000):
            made.append(number)
            yield bytes(100_000)

    async def main() -> int:
        async with AsyncTestClient(app) as client:
            async with client.stream("GET", "/") as answer:
                await asyncio.sleep(0.3)
                produced = len(made)
                total = 0
                async for chunk in answer:
                    total += len(chunk)
                assert total == 100_000_000
        return produced

    assert asyncio.run(main()) < 100


def test_who_leaves_in_the_middle_ends_it_quietly() -> None:
    closed: list[str] = []
    told: list[Message] = []

    async def watch(app: Asgi, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

        async def look() -> None:
            told.append(await receive())

        looking = asyncio.create_task(look())
        await app(scope, receive, send)
        await looking

    log: list[Any] = []
    app = App(middleware=[AsgiMiddleware(Spy, log=log), middleware(watch)])

    @app.get("/fast")
    async def fast() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(100_000)
        finally:
            closed.append("fast")

    @app.get("/slow")
    async def slow() -> AsyncIterator[bytes]:
        try:
            yield b"x"
            await asyncio.sleep(3600)
        finally:
            closed.append("slow")

    async def main() -> None:
        async with AsyncTestClient(app) as client:
            for path in ("/fast", "/slow"):
                async with client.stream("GET", path) as answer:
                    async for _ in answer:
                        break
                await until_async(lambda path=path: path[1:] in closed)

    asyncio.run(main())

    assert closed == ["fast", "slow"]
    assert told[0] == {"type": "http.disconnect"}
    assert not any(isinstance(each, Exception) for each in log)


def test_who_leaves_before_the_answer_cancels_it() -> None:
    ended: list[str] = []
    is_served = asyncio.Event()
    app, _ = spied()

    @app.get("/")
    async def slow() -> str:
        is_served.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("cancelled")
        return "never"

    asyncio.run(ask_and_leave(app, is_served, seen=lambda: ended))

    assert ended == ["cancelled"]


def test_who_leaves_before_the_head_closes_the_stream_unread() -> None:
    closed: list[str] = []

    class Source:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            return b"x"

        async def aclose(self) -> None:
            closed.append("closed")

    async def gone(message: Message) -> None:
        raise ClientLeft

    with pytest.raises(ClientLeft):
        asyncio.run(send_stream({"type": "http.response.start", "status": 200}, Source(), gone))

    assert closed == ["closed"]


def test_a_head_request_closes_the_stream_unread() -> None:
    closed: list[str] = []
    app, log = spied()

    @app.get("/")
    async def stream() -> AsyncIterator[str]:
        try:
            yield "one"
            await asyncio.sleep(3600)
        finally:
            closed.append("closed")

    with TestClient(app) as client:
        answer = client.head("/")

    assert (answer.status, answer.content, closed) == (200, b"", ["closed"])
    assert not any(isinstance(each, Exception) for each in log)


def test_a_time_limit_inside_holds() -> None:
    app, log = spied()

    @app.get("/", timeout=0.05)
    async def slow() -> str:
        await asyncio.sleep(3600)
        return "never"

    with TestClient(app) as client:
        answer = client.get("/")

    assert (answer.status, answer.json()["code"]) == (503, "handler.timeout")
    assert errors_of(log) == []
