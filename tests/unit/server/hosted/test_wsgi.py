"""An App as a WSGI application, called as a host calls it; `wsgiref.validate` looks on."""

from __future__ import annotations

import asyncio
import contextlib
import io
import multiprocessing
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Annotated, Any
from wsgiref.validate import validator

import pytest

from kingpost import App, BodyStream, File, Request, UploadFile, WebSocket
from kingpost.server.hosted.background import Background

variable: ContextVar[str] = ContextVar("variable", default="none")


class Input(io.BytesIO):
    """An input that nobody may read beyond its end: a socket would wait there."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 <= size <= len(self.getvalue()) - self.taken, "this would wait for ever"
        data = super().read(size)
        self.taken += len(data)
        return data


class Answer:
    def __init__(self, status: str, fields: list[tuple[str, str]], content: bytes) -> None:
        self.status = int(status[:3])
        self.line = status
        self.fields = fields
        self.content = content


def ignore(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
    """A host that keeps nothing of the head."""
    del status, headers, exc_info
    return print


def environ_of(
    path: str, method: str = "GET", body: bytes | None = None, **more: Any
) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.9",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if body is not None:
        environ |= {"wsgi.input": Input(body), "CONTENT_LENGTH": str(len(body))}
    return environ | more


def call(
    app: App, path: str = "/", method: str = "GET", body: bytes | None = None, **more: Any
) -> Answer:
    said: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        said.append((status, headers))
        return said.append

    answer = validator(app.wsgi)(environ_of(path, method, body, **more), start_response)
    try:
        content = b"".join(answer)
    finally:
        answer.close()  # type: ignore[attr-defined]  # the validator's has one
    [(status, fields)] = said
    return Answer(status, fields, content)


@pytest.fixture
def app() -> Iterator[App]:
    app = App()
    yield app
    app.wsgi.here().stop()


def test_a_request_is_answered(app: App) -> None:
    @app.get("/hello/{name}")
    async def hello(name: str) -> str:
        return f"Hello, {name}!"

    answer = call(app, "/hello/é")

    assert (answer.line, answer.content.decode()) == ("200 OK", "Hello, é!")
    assert not {"connection", "date", "transfer-encoding"} & {name for name, _ in answer.fields}
    head = call(app, "/hello/you", "HEAD")
    assert (head.status, head.content) == (200, b"")
    assert ("content-length", "11") in head.fields


def test_a_def_runs_on_the_thread_of_the_host_and_an_async_def_on_the_loop(app: App) -> None:
    @app.get("/def")
    def here() -> str:
        return f"{threading.current_thread().name} {variable.get()}"

    @app.get("/async")
    async def on_loop() -> str:
        await asyncio.sleep(0)
        return f"{threading.current_thread().name} {variable.get()}"

    variable.set("of the host")
    name = threading.current_thread().name

    assert call(app, "/def").content.decode() == f"{name} of the host"
    assert call(app, "/async").content.decode() == "kingpost-loop of the host"


def test_the_chunks_of_a_def_are_made_where_and_when_they_are_asked_for(app: App) -> None:
    made: list[str] = []

    @app.get("/")
    def chunks() -> Iterator[str]:
        try:
            for number in range(3):
                made.append(threading.current_thread().name)
                yield f"{number}\n"
        finally:
            made.append("closed")

    answer = app.wsgi(environ_of("/"), ignore)
    pieces = iter(answer)
    assert next(pieces) == b"0\n"
    assert len(made) == 1
    assert b"".join(pieces) == b"1\n2\n"
    assert made == [threading.current_thread().name] * 3 + ["closed"]


def test_who_leaves_closes_what_makes_the_chunks(app: App) -> None:
    closed = threading.Event()

    @app.get("/def")
    def chunks() -> Iterator[str]:
        try:
            while True:
                yield "x"
        finally:
            closed.set()

    @app.get("/async")
    async def chunks_on_loop() -> AsyncIterator[str]:
        try:
            while True:
                yield "x" * 65_536
        finally:
            closed.set()

    for path in ("/def", "/async"):
        answer = app.wsgi(environ_of(path), ignore)
        assert next(iter(answer))
        answer.close()  # type: ignore[attr-defined]  # PEP 3333 lets it have one
        assert closed.wait(60)
        closed.clear()


@pytest.mark.parametrize("size", [0, 3, 65_536, 65_537, 500_000])
def test_a_body_is_read_to_its_length_and_no_further(app: App, size: int) -> None:
    @app.post("/whole")
    async def whole(request: Request) -> int:
        return len(request.body)

    @app.post("/def")
    def here(request: Request) -> int:
        return len(request.body)

    @app.post("/stream")
    async def stream(body: BodyStream) -> int:
        return sum([len(chunk) async for chunk in body])

    @app.post("/def-stream")
    def stream_here(body: BodyStream) -> int:
        return sum(len(chunk) for chunk in body)

    for path in ("/whole", "/def", "/stream", "/def-stream"):
        answer = call(app, path, "POST", b"x" * size)
        assert (answer.status, answer.content) == (200, str(size).encode())


def test_a_body_without_a_length_needs_an_input_that_ends(app: App) -> None:
    @app.post("/")
    async def whole(request: Request) -> bytes:
        return request.body

    more: dict[str, Any] = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(b"x" * 100_000),
    }

    assert call(app, "/", "POST", None, **more).status == 411
    assert (
        call(app, "/", "POST", None, **more | {"wsgi.input_terminated": True}).content
        == b"x" * 100_000
    )


def test_a_body_that_ends_early_is_refused(app: App) -> None:
    @app.post("/")
    async def whole(request: Request) -> bytes:
        return request.body

    for size in (10, 200_000):
        more: dict[str, Any] = {"wsgi.input": io.BytesIO(b"abc"), "CONTENT_LENGTH": str(size)}
        answer = call(app, "/", "POST", None, **more)
        assert answer.status == 400
        assert b"http.incomplete-request" in answer.content


def test_limits_hold(app: App) -> None:
    @app.post("/", max_body=100_000)
    async def whole(request: Request) -> int:
        return len(request.body)

    @app.post("/upload")
    def upload(file: Annotated[UploadFile, File()]) -> int:
        return file.size

    assert call(app, "/", "POST", b"x" * 100_000).status == 200
    assert call(app, "/", "POST", b"x" * 100_001).status == 413
    assert call(app, "/", HTTP_X="x" * 70_000).status in (400, 431)


def test_the_request_says_what_the_host_knows(app: App) -> None:
    @app.get("/a/{rest:path}")
    async def a(request: Request, rest: str) -> list[str | None]:
        return [
            request.client,
            request.scheme,
            request.host,
            request.http_version,
            request.root_path,
            rest,
            request.url_for("a", rest="b"),
            request.query.get("q"),
            ",".join(request.cookies),
        ]

    answer = call(
        app,
        "/a/b",
        SCRIPT_NAME="/shop",
        QUERY_STRING="q=%C3%A9",
        HTTP_COOKIE="one=1; two=2",
        RAW_URI="/shop/a/b?q=%C3%A9",
    )

    expected = (
        '["203.0.113.9","https","example.org:80","1.1","/shop","b","/shop/a/b","é","one,two"]'
    )
    assert answer.content.decode() == expected


def test_what_would_be_two_requests_is_none(app: App) -> None:
    assert call(app, "/", HTTP_X="1\r\ny: 2").status == 400
    said: list[str] = []
    environ = environ_of("/", "POST", CONTENT_LENGTH="3, 3")

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        said.append(status)
        return ignore(status, headers, exc_info)

    list(app.wsgi(environ, start_response))
    assert said == ["400 Bad Request"]


def test_a_websocket_is_refused_where_there_is_one(app: App) -> None:
    @app.websocket("/talk")
    async def talk(ws: WebSocket) -> None:
        await ws.send("x")

    @app.get("/")
    async def home() -> str:
        return "here"

    asks = {
        "HTTP_UPGRADE": "websocket",
        "HTTP_CONNECTION": "Upgrade",
        "HTTP_SEC_WEBSOCKET_KEY": "x",
    }
    answer = call(app, "/talk", **asks)

    assert answer.status == 501
    assert b"does not speak WebSocket" in answer.content
    assert call(app, "/", **asks).content == b"here"


def test_a_handler_that_fails_is_answered_and_one_that_fails_late_is_cut_off(app: App) -> None:
    @app.get("/fail")
    def fail() -> str:
        raise ValueError("no")

    @app.get("/late")
    async def late() -> AsyncIterator[str]:
        yield "x"
        await asyncio.sleep(0)
        raise ValueError("too late")

    @app.get("/def-late")
    def late_here() -> Iterator[str]:
        yield "x"
        raise ValueError("too late")

    assert call(app, "/fail").status == 500
    for path in ("/late", "/def-late"):
        with pytest.raises(Exception, match="ended before its end"):
            call(app, path)


def lives(seen: list[str]) -> App:
    app = App()

    @app.lifespan
    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        variable.set("of start-up")
        seen.append("start")
        yield
        seen.append("stop")

    @app.get("/")
    def home() -> str:
        return variable.get()

    return app


def test_the_first_request_starts_the_app_and_the_end_of_the_process_stops_it() -> None:
    seen: list[str] = []
    app = lives(seen)
    wsgi = app.wsgi
    assert seen == []

    threads = [threading.Thread(target=call, args=(app,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert call(app).content == b"of start-up"
    assert seen == ["start"]
    wsgi.here().stop()
    assert seen == ["start", "stop"]


def of_child(app: App, pipe: Any) -> None:
    pipe.send(call(app).content)
    app.wsgi.here().stop()


def test_after_a_fork_the_child_starts_its_own() -> None:
    seen: list[str] = []
    app = lives(seen)
    assert call(app).content == b"of start-up"
    ours, theirs = multiprocessing.get_context("fork").Pipe()
    child = multiprocessing.get_context("fork").Process(target=of_child, args=(app, theirs))
    child.start()
    assert ours.poll(60)
    assert ours.recv() == b"of start-up"
    child.join()
    assert child.exitcode == 0
    app.wsgi.here().stop()


def test_a_start_that_fails_fails_the_request_and_the_next_tries_again() -> None:
    app, tries = App(), 0

    @app.lifespan
    @contextlib.asynccontextmanager
    async def life() -> AsyncGenerator[None]:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError("no database")
        yield

    @app.get("/")
    def home() -> str:
        return "here"

    with pytest.raises(ValueError, match="no database"):
        call(app)
    assert call(app).content == b"here"
    app.wsgi.here().stop()


def test_threads_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Patched:
        @staticmethod
        def is_module_patched(name: str) -> bool:
            return bool(name)

    monkeypatch.setitem(__import__("sys").modules, "gevent.monkey", Patched)

    with pytest.raises(RuntimeError, match="gevent has replaced them"):
        Background(lambda: pytest.fail("not compiled"))


def test_a_stop_ends_the_calls_that_wait() -> None:
    app, began = App(), threading.Event()

    @app.get("/")
    async def forever() -> str:
        began.set()
        await asyncio.Event().wait()
        return ""

    from kingpost.server.hosted.wsgi import WsgiApplication

    wsgi = WsgiApplication(lambda: app.__compile__("production"), grace=0.0)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            list(wsgi(environ_of("/"), ignore))
        except Exception as error:  # noqa: BLE001 - looked at below
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert began.wait(60)
    wsgi.here().stop()
    thread.join(60)
    assert len(ended) == 1
