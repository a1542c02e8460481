"""What the App answers the engine: errors, misses, warnings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from kingpost import (
    App,
    Blueprint,
    CallNext,
    Html,
    HTTPError,
    NotFound,
    Redirect,
    Request,
    Response,
    Unauthorized,
    UploadFile,
    from_thread,
)
from kingpost._native import Answer
from kingpost.app.compile import compile_app
from kingpost.testing import TestClient
from tests.unit.app.asking import ask
from tests.unit.http.sample import sample
from tests.waiting import pass_time

PAGE = {"Accept": "text/html,*/*;q=0.8"}


class Lost(NotFound):
    pass


def raising(error: Exception) -> Callable[[], str]:
    def handler() -> str:
        raise error

    return handler


def raising_async(error: Exception) -> Callable[[], Any]:
    async def handler() -> str:
        raise error

    return handler


def saying(word: str) -> Callable[[Any, Any], str]:
    def handler(request: Any, error: Any) -> str:
        return word

    return handler


KINDS: list[Any] = [Lost, NotFound, 404, HTTPError, Exception]


@pytest.mark.parametrize("nearest", KINDS, ids=str)
def test_the_nearest_class_wins_and_a_status_is_nearer_than_the_roots(nearest: Any) -> None:
    app = App()
    app.get("/")(raising(Lost()))
    for kind in reversed(KINDS[KINDS.index(nearest) :]):
        app.error(kind)(saying(str(kind)))

    answer = ask(app)

    assert (answer.status, answer.text) == (404, str(nearest))


def test_a_blueprints_handler_is_asked_before_the_apps() -> None:
    app, group = App(), Blueprint("group", prefix="/group")
    app.include(group)
    for registrar, word in ((app, "app"), (group, "group")):
        registrar.error(KeyError)(saying(word))
        registrar.get("/x")(raising(KeyError()))

    assert (ask(app, "/x").text, ask(app, "/group/x").text) == ("app", "group")


@pytest.mark.parametrize("path", ["/async", "/def", "/inline"])
@pytest.mark.parametrize("error", [KeyError, IndexError])
def test_handlers_answer_on_the_loop_and_on_threads(path: str, error: type[Exception]) -> None:
    app = App()
    app.get("/async")(raising_async(error("x")))
    app.get("/def")(raising(error("x")))
    app.get("/inline", inline=True)(raising(error("x")))

    @app.error(KeyError)
    async def on_loop(request: Request, error: KeyError) -> str:
        return f"loop {error.args[0]}"

    @app.error(IndexError)
    def on_thread(request: Request, error: IndexError) -> str:
        return f"thread {error.args[0]}"

    answer = ask(app, path)

    assert answer.status == 500
    assert answer.text == ("loop x" if error is KeyError else "thread x")


def test_a_handler_for_500_gets_what_it_is_annotated_with() -> None:
    app = App()
    app.get("/")(raising(KeyError("x")))

    @app.error(500)
    def broken(request: Request, error: HTTPError) -> dict[str, object]:
        return {"status": error.status, "cause": repr(error.__cause__)}

    assert ask(app).json() == {"status": 500, "cause": "KeyError('x')"}


@pytest.mark.parametrize("colour", ["def", "async"])
@pytest.mark.parametrize("path", ["/async", "/def"])
def test_an_error_handler_that_fails_is_a_500_and_nobody_else_is_asked(
    path: str, colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = App()
    app.get("/async")(raising_async(KeyError()))
    app.get("/def")(raising(KeyError()))
    app.error(ValueError)(saying("not asked"))
    if colour == "def":

        @app.error(KeyError)
        def fails(request: Request, error: KeyError) -> str:
            raise ValueError

    else:

        @app.error(KeyError)
        async def fails_async(request: Request, error: KeyError) -> str:
            raise ValueError

    answer = ask(app, path)

    assert (answer.status, answer.json()["code"]) == (500, "internal-server-error")


def test_an_error_handler_may_raise_another_answer() -> None:
    app = App()
    app.get("/")(raising(KeyError()))

    @app.error(KeyError)
    def missing(request: Request, error: KeyError) -> str:
        raise NotFound("no such key")

    assert ask(app).json()["detail"] == "no such key"


def test_fields_that_a_status_demands_stay_whoever_words_the_answer() -> None:
    app = App()
    app.get("/")(raising(Unauthorized(headers={"WWW-Authenticate": "Basic"})))
    app.error(401)(saying("who are you?"))
    app.error(405)(saying("not so"))

    assert ask(app).headers["www-authenticate"] == "Basic"
    assert ask(app, method="POST").headers["allow"] == "GET, HEAD, OPTIONS"


def test_an_error_handler_may_answer_with_another_status() -> None:
    app = App()

    @app.error(404)
    async def elsewhere(request: Request, error: HTTPError) -> Response[str]:
        return Response("moved", status=410, headers={"X-Path": request.path})

    answer = ask(app, "/x")

    assert (answer.status, answer.headers["x-path"]) == (410, "/x")


@pytest.mark.parametrize("mode", ["development", "production", "test"])
def test_a_browser_gets_a_page_and_a_program_a_problem(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINGPOST_ENV", mode)
    app = App()
    app.get("/broken")(raising(KeyError("a secret")))
    app.get("/missing")(raising(NotFound("no such thing")))

    for path, status in (("/broken", 500), ("/missing", 404), ("/nowhere", 404)):
        page, problem = ask(app, path, headers=PAGE), ask(app, path)
        assert (page.status, page.media_type) == (status, "text/html")
        assert (problem.status, problem.media_type) == (status, "application/problem+json")
        assert page.headers["vary"] == problem.headers["vary"] == "accept"
        leaks = "a secret" in page.text + problem.text
        assert leaks is (mode == "development" and path == "/broken")


def test_development_lists_the_routes_at_an_unknown_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "development")
    app = App()

    @app.get("/todos")
    def todos() -> str:
        return ""

    assert "/todos" in ask(app, "/todo", headers=PAGE).text


def test_development_tells_nothing_to_a_foreign_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "development")
    app = App()
    app.get("/")(raising(KeyError("a secret")))

    with TestClient(app, host="rebound.example", raise_errors=False) as client:
        assert "a secret" not in client.get("/", headers=PAGE).text
        assert "a secret" not in client.get("/").text


def test_an_exception_that_nobody_takes_is_logged_with_its_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()
    app.get("/x")(raising(KeyError("x")))
    dispatch = compile_app(app, mode="production").dispatch

    dispatch.fail(sample(path="/x\n"), 0, KeyError("x"))

    (record,) = caplog.records
    assert record.name == "kingpost.app"
    assert record.getMessage() == r"GET '/x\n' failed, request 5f2c09aa41d07b3e"
    assert record.exc_info is not None


def test_an_exception_is_raised_in_the_test() -> None:
    app = App()
    app.get("/")(raising(KeyError("x")))
    app.get("/404")(raising(NotFound()))

    with TestClient(app) as client:
        assert client.get("/404").status == 404
        with pytest.raises(KeyError):
            client.get("/")


@pytest.mark.parametrize("has_middleware", [False, True])
def test_a_forgotten_return_fails_in_tests_and_is_logged_once_a_minute_in_production(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, has_middleware: bool
) -> None:
    app = App()

    @app.get("/{name}")
    def forgetful(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - without annotations on purpose
        "no return"

    @app.get("/other/{name}")
    def other(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - without annotations on purpose
        "no return"

    if has_middleware:

        @app.middleware
        async def through(request: Request, call_next: CallNext) -> Response[Any]:
            return await call_next(request)

    assert ask(app, "/a").status == 500
    caplog.clear()
    monkeypatch.setenv("KINGPOST_ENV", "production")
    now = [1000.0]
    monkeypatch.setattr("kingpost.app.dispatch.monotonic", lambda: now[0])
    told: list[str] = []
    with TestClient(app) as client:
        for second, path in ((0, "/a"), (59.9, "/b"), (59.9, "/other/c"), (60, "/d")):
            now[0] = 1000.0 + second
            assert client.get(path).status == 204
            told += [record.getMessage() for record in caplog.records]
            caplog.clear()
    expected = [("/a", "forgetful"), ("/other/c", "other"), ("/d", "forgetful")]
    for line, (path, handler) in zip(told, expected, strict=True):
        assert line.startswith(f"GET '{path}' is answered with 204, request ")
        assert f"{handler} returned None" in line


def test_other_mistakes_of_answers_are_500_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "production")
    app = App()

    @app.get("/")
    def odd():  # type: ignore[no-untyped-def]  # noqa: ANN202 - without annotations on purpose
        return object()

    assert ask(app).status == 500


def test_text_that_looks_like_a_page_is_named_once_in_development(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "development")
    app = App()

    @app.get("/text")
    def text() -> str:
        return "<p>text</p>"

    @app.get("/unannotated")
    def unannotated():  # type: ignore[no-untyped-def]  # noqa: ANN202 - without annotations on purpose
        return "<p>"

    @app.get("/page")
    def page() -> Html:
        return Html("<p>")

    caplog.set_level(logging.WARNING, "kingpost.app")
    with TestClient(app) as client:
        for path in ("/text", "/text", "/unannotated", "/page"):
            assert client.get(path).status == 200

    warned = [record.getMessage() for record in caplog.records if record.name == "kingpost.app"]
    assert [line.partition(" ")[0] for line in warned] == ["text", "unannotated"]
    assert "Html(…)" in warned[0]
    assert "test_dispatch.py:" in warned[0]


def test_text_is_not_looked_at_in_production(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KINGPOST_ENV", "production")
    app = App()
    app.get("/")(lambda: "<p>")

    assert ask(app).text == "<p>"
    assert [record for record in caplog.records if record.name == "kingpost.app"] == []


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/a/", 308, "/a"),
        ("POST", "/b?x=1&y=%20", 308, "/b/?x=1&y=%20"),
        ("GET", "/%C5%BC/", 308, "/%C5%BC"),
        ("GET", "/7/", 308, "/7"),
        ("GET", "/b", 404, None),
        ("DELETE", "/a/", 404, None),
        ("GET", "/x/", 404, None),
        ("GET", "//evil.org/", 404, None),
        ("GET", "/\\evil.org/", 404, None),
        ("GET", "/", 404, None),
    ],
)
def test_the_other_slash_is_redirected_where_exactly_that_route_exists(
    method: str, path: str, status: int, location: str | None
) -> None:
    app = App()
    app.get("/a")(lambda: "a")
    app.post("/b/")(lambda: "b")
    app.get("/ż")(lambda: "z")

    @app.get("/{id:int}")
    def number(id: int) -> int:
        return id

    with TestClient(app) as client:
        head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        answer = client.raw(head.encode())

    assert (answer.status, answer.headers.get("location")) == (status, location)


def test_a_path_that_begins_with_two_slashes_is_never_redirected_off_the_site() -> None:
    app = App()

    @app.get("/{rest:path}")
    def anything(rest: str) -> str:
        return rest

    @app.get("/a/{name}/")
    def slash(name: str) -> str:
        return name

    with TestClient(app) as client:
        answer = client.raw(b"GET //evil.org HTTP/1.1\r\nHost: a\r\n\r\n")

    assert "location" not in answer.headers


def test_options_of_the_whole_server() -> None:
    with TestClient(App()) as client:
        answer = client.raw(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")

    assert answer.status == 204


def test_a_time_limit_ends_the_handler_with_503() -> None:
    app = App()

    @app.get("/slow", timeout=0.01)
    async def slow() -> str:
        await asyncio.sleep(10)
        return ""

    @app.get("/own", timeout=10)
    async def own() -> str:
        raise TimeoutError("another one")

    answer = ask(app, "/slow")

    assert (answer.status, answer.json()["code"]) == (503, "handler.timeout")
    assert ask(app, "/own").status == 500


class Made:
    """What providers make."""


@pytest.mark.parametrize("kind", ["async", "asyncgen", "def", "hook", "middleware"])
def test_a_time_limit_is_that_of_the_whole_route(kind: str) -> None:
    app = App()
    served: list[str] = []

    async def slow() -> Made:
        await asyncio.sleep(10)
        return Made()

    async def slow_yielding() -> AsyncIterator[Made]:
        await asyncio.sleep(10)
        yield Made()

    def slow_on_a_thread() -> Made:
        # A thread is waited for: what it holds is not given back under its hands. The loop's timers keep their order.
        from_thread(asyncio.sleep, 0.1)
        return Made()

    providers = {"asyncgen": slow_yielding, "def": slow_on_a_thread}
    app.provide(providers.get(kind, slow))

    async def wait(request: Request) -> None:
        await asyncio.sleep(10)

    if kind == "middleware":

        @app.middleware
        async def outside(request: Request, call_next: CallNext) -> Response[Any]:
            response = await call_next(request)
            response.headers["x-status"] = str(response.status)
            return response

    if kind == "hook":

        @app.get("/", timeout=0.02, before=[wait])
        async def hooked() -> str:
            served.append("hooked")
            return ""
    else:

        @app.get("/", timeout=0.02)
        async def provided(made: Made) -> str:
            served.append("provided")
            return ""

    answer = ask(app, "/")

    assert (answer.status, answer.json()["code"]) == (503, "handler.timeout")
    assert answer.headers.get("x-status") == ("503" if kind == "middleware" else None)
    assert served == []


def test_a_time_limit_is_not_for_the_client_that_sends_a_form() -> None:
    app = App()
    is_begun = asyncio.Event()

    async def begin(request: Request) -> None:
        is_begun.set()

    @app.post("/", timeout=60, before=[begin])
    async def upload(file: UploadFile) -> str:
        return file.read().decode()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhel'
        await is_begun.wait()
        await pass_time(60)
        yield b"lo\r\n--x--\r\n"

    with TestClient(app, timeout=None) as client:
        answer = client.post(
            "/", content=slowly(), headers={"content-type": "multipart/form-data; boundary=x"}
        )

    assert (answer.status, answer.text) == (200, "hello")


def test_the_last_resort_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    dispatch = compile_app(App(), mode="production").dispatch
    monkeypatch.setattr(dispatch, "_errors", None)

    answer = dispatch.fail(sample(), None, NotFound())

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (500, b"")


@pytest.mark.parametrize("mode", ["development", "production"])
def test_what_an_error_says_to_the_developer_is_logged_in_development(
    mode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KINGPOST_ENV", mode)
    app = App()

    @app.get("/away")
    def away() -> Redirect:
        return Redirect("https://example.org/")

    answer = ask(app, "/away")

    assert (answer.status, answer.json()["code"]) == (400, "redirect.leaves-site")
    assert "external" not in answer.text
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == (1 if mode == "development" else 0)
    assert all("GET '/away'" in line and "external=True" in line for line in told)
