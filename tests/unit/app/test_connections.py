"""Providers of scope "connection": made by the first request of a connection, finished when it has closed."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest

from kingpost import App, Request, current_app
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError
from kingpost.testing import TestClient
from kingpost.testing.live import LiveServer
from tests.waiting import until


class Visit:
    """What a connection has."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.pages = 0


class Counter:
    def __init__(self, visit: Visit) -> None:
        self.visit = visit


@contextlib.contextmanager
def connected(server: LiveServer) -> Generator[Callable[[str], bytes]]:
    """Asks again and again on one connection."""
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)

    def get(path: str) -> bytes:
        client.request("GET", path)
        return client.getresponse().read()

    try:
        yield get
    finally:
        client.close()


def visits(app: App, steps: list[str], kind: str) -> None:
    """Registers a provider of Visit of one of the four kinds."""
    count = iter(range(1, 1000))

    def made() -> Visit:
        visit = Visit(next(count))
        steps.append(f"begun {visit.number}")
        return visit

    def over(visit: Visit) -> None:
        steps.append(f"over {visit.number} after {visit.pages}")

    def plain() -> Visit:
        return made()

    async def later() -> Visit:
        await asyncio.sleep(0)
        return made()

    def generator() -> Iterator[Visit]:
        visit = made()
        yield visit
        over(visit)

    async def asyncgen() -> AsyncIterator[Visit]:
        visit = made()
        yield visit
        await asyncio.sleep(0)
        over(visit)

    functions = {"def": plain, "async": later, "generator": generator, "asyncgen": asyncgen}
    app.provide(scope="connection")(functions[kind])


@pytest.mark.parametrize("handler_is_async", [True, False])
@pytest.mark.parametrize("kind", ["def", "async", "generator", "asyncgen"])
def test_a_value_is_made_once_for_each_connection_and_finished_behind_it(
    kind: str, handler_is_async: bool
) -> None:
    app, steps = App(), list[str]()
    visits(app, steps, kind)

    if handler_is_async:

        @app.get("/")
        async def home_later(visit: Visit) -> str:
            visit.pages += 1
            return f"{visit.number}:{visit.pages}"
    else:

        @app.get("/")
        def home(visit: Visit) -> str:
            visit.pages += 1
            return f"{visit.number}:{visit.pages}"

    has_end = kind in ("generator", "asyncgen")
    with LiveServer(app) as server:
        with connected(server) as one, connected(server) as two:
            assert [one("/"), one("/"), two("/"), one("/")] == [b"1:1", b"1:2", b"2:1", b"1:3"]
            assert steps == ["begun 1", "begun 2"]
        if has_end:
            until(lambda: len(steps) == 4)
        with connected(server) as three:
            assert three("/") == b"3:1"

    ends = {"over 1 after 3", "over 2 after 1", "over 3 after 1"}
    assert set(steps[2:]) - {"begun 3"} == (ends if has_end else set())


def test_what_is_open_at_the_stop_is_finished_before_what_lasts() -> None:
    app, steps = App(), list[str]()

    @app.provide(scope="app")
    async def pool() -> AsyncIterator[Counter]:
        yield Counter(Visit())
        steps.append("pool over")

    @app.provide(scope="connection")
    def visit(pool: Counter) -> Iterator[Visit]:
        yield pool.visit
        steps.append("visit over")

    @app.lifespan
    async def life() -> AsyncIterator[None]:
        yield
        steps.append("life over")

    @app.get("/")
    def home(visit: Visit) -> str:
        return "here"

    with LiveServer(app) as server, connected(server) as get:
        get("/")
        server.stop()

    assert steps == ["visit over", "life over", "pool over"]


def test_connection_values_may_need_each_other_and_are_finished_in_reverse() -> None:
    app, steps = App(), list[str]()
    visits(app, steps, "asyncgen")

    @app.provide(scope="connection")
    def counter(visit: Visit) -> Iterator[Counter]:
        steps.append("counter begun")
        yield Counter(visit)
        steps.append("counter over")

    @app.get("/")
    async def home(counter: Counter, visit: Visit) -> bool:
        return counter.visit is visit

    with LiveServer(app) as server, connected(server) as get:
        assert get("/") == b"true"

    assert steps == ["begun 1", "counter begun", "counter over", "over 1 after 0"]


def test_requests_that_come_at_once_wait_for_the_one_that_makes_the_value() -> None:
    app, made = App(), list[int]()

    @app.provide(scope="connection")
    async def visit() -> Visit:
        made.append(1)
        await asyncio.sleep(0.05)
        return Visit(len(made))

    @app.get("/")
    async def home(visit: Visit) -> str:
        return f"<{visit.number}>"

    with LiveServer(app) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(20)
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 5)
        text = b""
        while text.count(b"<1>") < 5:
            text += client.recv(4096)

    assert made == [1]


def test_a_provider_that_fails_is_asked_again_by_the_next_request() -> None:
    app, tries = App(), list[int]()

    @app.provide(scope="connection")
    def visit() -> Visit:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not yet")
        return Visit(len(tries))

    @app.get("/")
    def home(visit: Visit) -> str:
        return str(visit.number)

    with LiveServer(app) as server, connected(server) as get:
        assert b"500" in get("/")
        assert [get("/"), get("/")] == [b"2", b"2"]


def test_nothing_is_finished_under_the_hands_of_a_request_that_still_runs() -> None:
    app, steps = App(), list[str]()
    begun, may_end = threading.Event(), threading.Event()
    visits(app, steps, "generator")

    @app.get("/")
    def home(visit: Visit) -> str:
        begun.set()
        may_end.wait(20)
        steps.append("handled")
        return ""

    with LiveServer(app) as server:
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert begun.wait(20)
        client.close()
        with connected(server) as other:
            # By now the server has seen that the first client is gone.
            other("/nowhere")
        time.sleep(0.05)
        assert steps == ["begun 1"]
        may_end.set()
        until(lambda: len(steps) == 3)

    assert steps == ["begun 1", "handled", "over 1 after 0"]


def test_a_streamed_answer_keeps_its_value_to_the_last_byte() -> None:
    app, steps = App(), list[str]()
    visits(app, steps, "generator")

    @app.get("/")
    def home(visit: Visit) -> Iterator[str]:
        for _ in range(3):
            visit.pages += 1
            yield str(visit.pages)

    with TestClient(app) as client:
        assert client.get("/").text == "123"
        assert client.get("/").text == "123"

    assert steps == ["begun 1", "over 1 after 3", "begun 2", "over 2 after 3"]


def test_an_end_that_fails_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    app, told = App(), list[str]()

    @app.provide(scope="connection")
    async def visit() -> AsyncIterator[Visit]:
        yield Visit()
        raise OSError("the line is dead")

    @app.extensions.error_reporter
    def report(error: BaseException, request: Request | None) -> None:
        told.append(f"{request} {error}")

    @app.get("/")
    async def home(visit: Visit) -> str:
        return "here"

    with TestClient(app) as client:
        assert client.get("/").text == "here"

    assert told == ["None the line is dead"]
    assert "what was made for a connection could not be finished" in caplog.text


def test_it_runs_while_the_app_is_the_current_one() -> None:
    app, seen = App(), list[bool]()

    @app.provide(scope="connection")
    async def visit() -> AsyncIterator[Visit]:
        seen.append(current_app() is app)
        yield Visit()
        seen.append(current_app() is app)

    @app.get("/")
    async def home(visit: Visit) -> str:
        return "here"

    with TestClient(app) as client:
        client.get("/")

    assert seen == [True, True]


def test_an_override_takes_its_place_and_is_kept_as_long() -> None:
    app, steps = App(), list[str]()
    visits(app, steps, "generator")

    @app.get("/")
    def home(visit: Visit) -> str:
        visit.pages += 1
        return f"{visit.number}:{visit.pages}"

    with LiveServer(app) as server, connected(server) as get:
        assert get("/") == b"1:1"
        with app.override(Visit, lambda: Visit(70)):
            assert [get("/"), get("/")] == [b"70:1", b"70:2"]
        assert get("/") == b"1:2"


def test_a_route_that_names_none_is_called_as_it_is() -> None:
    app, steps = App(), list[str]()
    visits(app, steps, "generator")

    @app.get("/")
    async def home() -> str:
        return "here"

    with TestClient(app) as client:
        assert client.get("/").text == "here"

    assert compile_app(app, mode="test").routes[0].served.program is None
    assert steps == []


def test_explain_says_how_long_it_is_kept() -> None:
    app = App()
    visits(app, [], "def")

    @app.get("/")
    async def home(visit: Visit) -> str:
        return ""

    assert "made once for a connection" in compile_app(app, mode="test").explain("/")


def of_a_request(request: Request) -> Visit:
    return Visit()


def of_a_visit(visit: Visit) -> Counter:
    return Counter(visit)


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (("connection", "request"), "it is made once for a connection, and request is there during a request only"),
        (("request", "connection"), "it is made once for a connection, and visit is there during a request only"),
        (("connection", "app"), "it is made once, at start, and visit is there during a connection only"),
    ],
)  # fmt: skip
def test_a_wider_scope_that_asks_for_a_narrower_one_is_refused(
    scopes: tuple[Any, Any], words: str
) -> None:
    app = App()
    if scopes == ("connection", "request"):
        app.provide(scope="connection")(of_a_request)
    else:
        app.provide(scope=scopes[0])(Visit if scopes[0] == "request" else plain_visit)
        app.provide(scope=scopes[1])(of_a_visit)

    @app.get("/")
    def home(visit: Visit) -> str:
        return ""

    @app.get("/counter")
    def count(counter: Counter) -> str:
        return ""

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    told = [str(refused.value), *getattr(refused.value, "__notes__", ())]
    assert refused.value.code == "injection.scope"
    assert any(words in each for each in told)


def plain_visit() -> Visit:
    return Visit()
