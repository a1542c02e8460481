"""BackgroundTasks, clause by clause."""

from __future__ import annotations

import asyncio
import http.client
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from kingpost import (
    App,
    BackgroundTasks,
    CallNext,
    Conflict,
    NotFound,
    Request,
    Response,
    Struct,
    injected,
)
from kingpost.app import background
from kingpost.testing import BadReply, LiveServer, TestClient
from tests.waiting import PATIENCE


class Session:
    def __init__(self, log: list[str]) -> None:
        self.log = log


class Count(Struct):
    number: int = 0


def served(app: App, method: str = "GET", path: str = "/") -> Any:
    """The answer, with all that follows it done."""
    with TestClient(app, raise_errors=False) as client:
        return client.request(method, path)


@pytest.mark.parametrize("handler", ["def", "async", "inline"])
def test_calls_are_made_in_order_whatever_their_colour(handler: str) -> None:
    app = App()
    log: list[str] = []
    loop = threading.get_ident()

    def plain(word: str) -> None:
        time.sleep(0.01)
        assert threading.get_ident() != loop
        log.append(word)

    async def waiting(word: str, *, more: str = "") -> None:
        assert threading.get_ident() == loop
        log.append(word + more)

    def show(tasks: BackgroundTasks) -> str:
        tasks.add_task(plain, "one")
        tasks.add_task(waiting, "two", more="!")
        tasks.add_task(plain, "three")
        log.append("handler")
        return "x"

    async def show_async(tasks: BackgroundTasks) -> str:
        return show(tasks)

    app.get("/", inline=handler == "inline")(show_async if handler == "async" else show)

    assert served(app).text == "x"
    assert log == ["handler", "one", "two!", "three"]


@pytest.mark.parametrize("handler", ["def", "async"])
def test_they_run_when_the_answer_is_out_and_middleware_is_through(handler: str) -> None:
    app = App()
    log: list[str] = []

    @app.middleware
    async def slow(request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        await asyncio.sleep(0.03)
        log.append("middleware")
        return response

    def show(tasks: BackgroundTasks) -> str:
        tasks.add_task(log.append, "task")
        return "x"

    async def show_async(tasks: BackgroundTasks) -> str:
        return show(tasks)

    app.get("/")(show_async if handler == "async" else show)

    assert served(app).text == "x"
    assert log == ["middleware", "task"]


@pytest.mark.parametrize("kind", ["def", "async"])
def test_of_a_stream_they_run_behind_its_last_byte(kind: str) -> None:
    app = App()
    log: list[str] = []

    def walk(tasks: BackgroundTasks) -> Iterator[str]:
        tasks.add_task(log.append, "task")
        yield "a"
        log.append("chunk")
        yield "b"

    async def walk_async(tasks: BackgroundTasks) -> AsyncIterator[str]:
        tasks.add_task(log.append, "task")
        yield "a"
        log.append("chunk")
        yield "b"

    app.get("/")(walk if kind == "def" else walk_async)

    assert served(app).text == "ab"
    assert log == ["chunk", "task"]


def test_a_client_that_leaves_does_not_keep_them_from_running() -> None:
    app = App()
    log: list[str] = []

    @app.get("/")
    def walk(tasks: BackgroundTasks) -> Iterator[str]:
        tasks.add_task(log.append, "task")
        for _ in range(10_000):
            yield "x" * 65536

    with TestClient(app, raise_errors=False) as client:
        with client.stream("GET", "/") as response:
            next(iter(response))
        client.get("/nothing")
        client.head("/")
        client.get("/nothing")

    assert log == ["task", "task"]


def fails() -> Any:
    raise NotFound("no")


def commits_badly() -> Iterator[Session]:
    yield Session([])
    raise Conflict("somebody was faster")


@pytest.mark.parametrize("middleware", [False, True])
@pytest.mark.parametrize("handler", ["def", "async"])
@pytest.mark.parametrize("how", ["raises", "commit", "stream"])
def test_nothing_runs_for_a_handler_that_failed(how: str, handler: str, middleware: bool) -> None:
    app = App()
    log: list[str] = []
    app.provide(commits_badly)

    async def around(request: Request, call_next: CallNext) -> Response[Any]:
        return await call_next(request)

    if middleware:
        app.middleware(around)

    def raises(tasks: BackgroundTasks) -> str:
        tasks.add_task(log.append, "task")
        return fails()  # type: ignore[no-any-return]  # it does not return

    def commit(tasks: BackgroundTasks, session: Session) -> str:
        tasks.add_task(log.append, "task")
        return "x"

    def stream(tasks: BackgroundTasks) -> Iterator[str]:
        tasks.add_task(log.append, "task")
        yield "x"
        fails()

    async def raises_async(tasks: BackgroundTasks) -> str:
        return raises(tasks)

    async def commit_async(tasks: BackgroundTasks, session: Session) -> str:
        return commit(tasks, session)

    async def stream_async(tasks: BackgroundTasks) -> AsyncIterator[str]:
        for chunk in stream(tasks):
            yield chunk

    functions: dict[tuple[str, str], Callable[..., Any]] = {
        ("raises", "def"): raises,
        ("raises", "async"): raises_async,
        ("commit", "def"): commit,
        ("commit", "async"): commit_async,
        ("stream", "def"): stream,
        ("stream", "async"): stream_async,
    }
    app.get("/")(functions[how, handler])

    if how == "stream":
        with pytest.raises(BadReply, match="in the middle of the answer"):
            served(app)
    else:
        assert served(app).status in (404, 409)
    assert log == []


def test_what_one_raises_is_reported_and_the_next_runs(caplog: pytest.LogCaptureFixture) -> None:
    app = App()
    log: list[str] = []

    def broken() -> None:
        raise KeyError("x")

    @app.get("/")
    def show(tasks: BackgroundTasks) -> str:
        tasks.add_task(broken)
        tasks.add_task(log.append, "next")
        return "x"

    with caplog.at_level(logging.ERROR, "kingpost.app"):
        assert served(app).text == "x"

    assert log == ["next"]
    assert "broken failed, after its answer" in caplog.text
    assert "KeyError" in caplog.text


def test_at_most_a_thousand_wait_and_the_next_is_told_before_anything_is_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert background.MAX_WAITING == 1000
    monkeypatch.setattr(background, "MAX_WAITING", 5)
    app = App()
    log: list[str] = []

    @app.provide
    def session() -> Iterator[Session]:
        yield Session(log)
        log.append("committed")

    @app.get("/{count}")
    def show(count: int, tasks: BackgroundTasks, session: Session) -> str:
        for _ in range(count):
            tasks.add_task(log.append, "task")
        return "x"

    with TestClient(app, raise_errors=False) as client:
        full = client.get("/6")
        assert (full.status, full.json()["code"]) == (503, "background.full")
        assert log == []
        assert [client.get("/5").status for _ in range(3)] == [200] * 3

    assert log == ["committed", *["task"] * 5] * 3


def test_they_are_awaited_at_the_stop() -> None:
    app = App()
    log: list[str] = []

    async def slow() -> None:
        await asyncio.sleep(0.05)
        log.append("done")

    @app.lifespan
    async def opened() -> AsyncIterator[None]:
        yield
        log.append("closed")

    @app.get("/")
    async def show(tasks: BackgroundTasks) -> str:
        tasks.add_task(slow)
        return "x"

    with TestClient(app) as client:
        client.get("/")

    assert log == ["done", "closed"]


def send(word: str, session: Session = injected(), *, count: Count = injected()) -> None:  # noqa: B008 - how it is written
    session.log.append(f"{word} {count.number}")


async def send_async(word: str, session: Session = injected()) -> None:  # noqa: B008 - how it is written
    session.log.append(f"{word} async")


def test_providers_are_called_anew_and_finished() -> None:
    app = App()
    log: list[str] = []
    counts = iter(range(100))

    @app.provide
    def session() -> Iterator[Session]:
        number = next(counts)
        log.append(f"open {number}")
        try:
            yield Session(log)
            log.append(f"commit {number}")
        except KeyError:
            log.append(f"rollback {number}")
            raise

    @app.provide(scope="app")
    def count() -> Count:
        return Count(7)

    def broken(session: Session = injected()) -> None:  # noqa: B008 - how it is written
        raise KeyError("x")

    @app.get("/")
    def show(tasks: BackgroundTasks, session: Session) -> str:
        tasks.add_task(send, "one")
        tasks.add_task(send_async, "two")
        tasks.add_task(broken)
        return "x"

    assert served(app).text == "x"
    assert log == [
        *("open 0", "commit 0", "open 1", "one 7", "commit 1"),
        *("open 2", "two async", "commit 2", "open 3", "rollback 3"),
    ]


def test_a_parameter_that_a_provider_makes_may_have_any_name() -> None:
    app = App()
    log: list[str] = []

    @app.provide
    def session() -> Session:
        return Session(log)

    def sent(word: str, given: Session = injected()) -> None:  # noqa: B008 - how it is written
        given.log.append(word)

    async def sent_async(word: str, given: Session = injected()) -> None:  # noqa: B008 - how it is written
        given.log.append(f"{word} async")

    @app.get("/")
    def show(tasks: BackgroundTasks) -> str:
        tasks.add_task(sent, "x")
        tasks.add_task(sent_async, "x")
        return "x"

    assert served(app).text == "x"
    assert log == ["x", "x async"]


def test_a_provider_that_needs_the_request_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    app = App()

    @app.provide
    def session(request: Request) -> Session:
        return Session([])

    @app.get("/")
    def show(tasks: BackgroundTasks) -> str:
        tasks.add_task(send_async, "x")
        return "x"

    with caplog.at_level(logging.ERROR, "kingpost.app"):
        assert served(app).text == "x"

    assert (
        "it is called behind the answer, and request is there during a request only" in caplog.text
    )


def test_functions_without_a_signature_are_called_as_they_are() -> None:
    app = App()
    there: dict[str, int] = {}

    @app.get("/")
    def show(tasks: BackgroundTasks) -> str:
        tasks.add_task(there.update, {"a": 1})
        return "x"

    served(app)

    assert there == {"a": 1}


@pytest.mark.parametrize("kind", ["async", "def", "stream", "around"])
def test_the_client_has_its_answer_before_the_first_call_is_made(kind: str) -> None:
    app = App()
    is_read = threading.Event()
    waited: list[bool] = []

    async def block() -> None:
        # Nothing is sent while it blocks the loop.
        waited.append(is_read.wait(PATIENCE))

    def show(tasks: BackgroundTasks) -> str:
        tasks.add_task(block)
        return "x" * 1000

    async def show_async(tasks: BackgroundTasks) -> str:
        return show(tasks)

    def walk(tasks: BackgroundTasks) -> Iterator[str]:
        yield show(tasks)

    def around(request: Request, call_next: Any) -> Any:
        return call_next(request)

    functions: dict[str, Callable[..., Any]] = {"async": show_async, "stream": walk}
    app.get("/", middleware=[around] if kind == "around" else [])(functions.get(kind, show))

    with LiveServer(app) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request("GET", "/")
        body = connection.getresponse().read()
        is_read.set()
        connection.close()

    assert body == b"x" * 1000
    assert waited == [True]
