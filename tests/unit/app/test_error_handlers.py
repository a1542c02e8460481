"""What error handlers are given: made anew, by providers that are visible where they were registered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from kingpost import (
    App,
    BackgroundTasks,
    Blueprint,
    CallNext,
    HTTPError,
    NotFound,
    Request,
    Response,
    Struct,
    Unauthorized,
    from_thread,
)
from kingpost.app.compile import compile_app
from kingpost.errors import ConfigurationError
from kingpost.routing.registrar import Registrar
from kingpost.templates import Template, Templates
from kingpost.testing import TestClient


class Word:
    def __init__(self, text: str) -> None:
        self.text = text


class Row(Struct):
    id: int


def words(text: str) -> Any:
    def word() -> Word:
        return Word(text)

    return word


def test_an_error_handler_is_given_what_providers_make() -> None:
    app = App()
    app.provide(words("given"))

    @app.error(404)
    def missing(request: Request, error: HTTPError, word: Word) -> dict[str, str]:
        return {"path": request.path, "word": word.text}

    with TestClient(app) as client:
        answer = client.get("/lost")

    assert (answer.status, answer.json()) == (404, {"path": "/lost", "word": "given"})


def test_what_it_is_given_by_name_may_have_any_name() -> None:
    app = App()
    app.provide(words("given"))

    @app.error(404)
    def missing(request: Request, problem: HTTPError, *, error: Word) -> str:
        return error.text

    @app.error(405)
    async def not_so(asked: Request, problem: HTTPError, *, request: Request, error: Word) -> str:
        return f"{error.text} {request.path}"

    @app.get("/")
    def home() -> str:
        return ""

    with TestClient(app) as client:
        assert client.get("/lost").text == "given"
        assert client.post("/").text == "given /"


@pytest.mark.parametrize("handler_is_async", [True, False])
@pytest.mark.parametrize("provider_is_async", [True, False])
@pytest.mark.parametrize("route_is_async", [True, False])
def test_every_colour_goes_with_every_other(
    handler_is_async: bool, provider_is_async: bool, route_is_async: bool
) -> None:
    app, steps = App(), list[str]()
    loop_thread: list[int] = []

    def note(what: str, *, on_loop: bool) -> None:
        is_there = threading.get_ident() == loop_thread[0]
        steps.append(what if is_there is on_loop else f"{what} elsewhere")

    if provider_is_async:

        @app.provide
        async def word_later() -> AsyncIterator[Word]:
            note("begun", on_loop=True)
            yield Word("word")
            note("finished", on_loop=True)
    else:

        @app.provide
        def word() -> Generator[Word, None, None]:
            note("begun", on_loop=False)
            yield Word("word")
            note("finished", on_loop=False)

    if handler_is_async:

        @app.error(NotFound)
        async def missing_later(request: Request, error: NotFound, word: Word) -> str:
            note("answered", on_loop=True)
            return f"{error.detail} {word.text}"
    else:

        @app.error(NotFound)
        def missing(request: Request, error: NotFound, word: Word) -> str:
            note("answered", on_loop=False)
            return f"{error.detail} {word.text}"

    @app.get("/async")
    async def lost_later() -> str:
        raise NotFound("no")

    @app.get("/def")
    def lost() -> str:
        raise NotFound("no")

    @app.lifespan
    async def look() -> AsyncIterator[None]:
        loop_thread.append(threading.get_ident())
        yield

    with TestClient(app) as client:
        answer = client.get("/async" if route_is_async else "/def")

    assert (answer.status, answer.text) == (404, "no word")
    assert steps == ["begun", "answered", "finished"]


def test_what_was_made_for_the_handler_is_made_anew() -> None:
    app, made = App(), list[str]()

    @app.provide
    def word() -> Iterator[Word]:
        made.append("begun")
        try:
            yield Word("word")
        finally:
            made.append("finished")

    @app.get("/")
    def home(word: Word) -> str:
        raise NotFound

    @app.error(NotFound)
    def missing(request: Request, error: NotFound, word: Word) -> str:
        made.append("answered")
        return word.text

    with TestClient(app) as client:
        assert client.get("/").text == "word"

    assert made == ["begun", "finished", "begun", "answered", "finished"]


def test_a_provider_sees_the_answer_of_the_error_handler() -> None:
    app, seen = App(), list[tuple[int, bytes | None]]()

    @app.provide
    def word() -> Generator[Word, Response[Any], None]:
        response = yield Word("word")
        seen.append((response.status, response.body))

    @app.error(404)
    def missing(request: Request, error: HTTPError, word: Word) -> Response[str]:
        return Response("gone for ever", status=410)

    with TestClient(app) as client:
        assert client.get("/lost").status == 410

    assert seen == [(410, b"gone for ever")]


def test_a_commit_that_fails_is_a_500_of_its_own() -> None:
    app = App()

    @app.provide
    def word() -> Iterator[Word]:
        yield Word("word")
        raise OSError("the disk is full")

    @app.error(404)
    def missing(request: Request, error: HTTPError, word: Word) -> str:
        return "never sent"

    with TestClient(app, raise_errors=False) as client:
        answer = client.get("/lost")

    assert answer.status == 500
    assert "never sent" not in answer.text


def test_a_refusal_of_a_provider_is_the_answer() -> None:
    app = App()

    @app.provide(inline=True)
    def word() -> Word:
        raise Unauthorized("say who you are")

    @app.error(404)
    def missing(request: Request, error: HTTPError, word: Word) -> str:
        return word.text

    with TestClient(app) as client:
        assert client.get("/lost").status == 401


def failing(routed: Registrar, *, at_404: Registrar, at_409: Registrar) -> None:
    """A route that fails as its path says, and error handlers that answer with the word that they are given."""

    @routed.get("/{status:int}")
    def fail(status: int) -> str:
        raise HTTPError("no", status=status)

    @at_404.error(404)
    def missing(request: Request, error: HTTPError, word: Word) -> str:
        return word.text

    @at_409.error(409)
    def conflict(request: Request, error: HTTPError, word: Word) -> str:
        return word.text


def test_the_nearest_provider_is_that_of_where_the_error_handler_stands() -> None:
    app, shop = App(), Blueprint("shop", prefix="/shop")
    app.provide(words("the app's"))
    shop.provide(words("the shop's"))
    failing(shop, at_404=app, at_409=shop)

    app.include(shop)
    with TestClient(app) as client:
        assert client.get("/shop/409").text == "the shop's"
        assert client.get("/shop/404").text == "the app's"


def test_an_error_handler_of_a_blueprint_sees_what_is_around_each_of_its_places() -> None:
    app, part = App(), Blueprint("part", prefix="/part")
    one, two = Blueprint("one", prefix="/one"), Blueprint("two", prefix="/two")
    one.provide(words("one"))
    two.provide(words("two"))

    @part.error(404)
    def missing(request: Request, error: HTTPError, word: Word) -> str:
        return word.text

    @part.get("/")
    def fail() -> str:
        raise NotFound

    for each in (one, two):
        each.include(part)
        app.include(each)
    with TestClient(app) as client:
        assert [client.get(f"/{name}/part/").text for name in ("one", "two")] == ["one", "two"]


def test_an_error_handler_of_a_mounted_app_is_given_what_that_app_makes() -> None:
    outer, inner = App(), App()
    outer.provide(words("outer"))
    inner.provide(words("inner"))
    failing(inner, at_404=inner, at_409=outer)

    outer.mount("/inner", inner)
    with TestClient(outer) as client:
        assert client.get("/inner/404").text == "inner"
        assert client.get("/inner/nowhere/at/all").text == "inner"
        assert client.get("/inner/409").text == "outer"


def test_what_lasts_is_made_at_start_for_an_error_handler_alone() -> None:
    app, made = App(), list[str]()

    @app.provide(scope="app")
    async def word() -> AsyncIterator[Word]:
        made.append("begun")
        yield Word("lasting")
        made.append("finished")

    @app.error(404)
    def missing(request: Request, error: HTTPError, word: Word) -> str:
        return word.text

    with TestClient(app) as client:
        assert made == ["begun"]
        assert [client.get("/lost").text for _ in range(2)] == ["lasting", "lasting"]

    assert made == ["begun", "finished"]


def test_an_override_reaches_error_handlers() -> None:
    app = App()

    @app.provide
    def word() -> Word:
        return Word("real")

    @app.error(404)
    def missing(request: Request, error: HTTPError, word: Word) -> str:
        return word.text

    with TestClient(app) as client:
        with app.override(Word, Word("fake")):
            assert client.get("/lost").text == "fake"
        assert client.get("/lost").text == "real"
    with app.override(word, Word("before the start")), TestClient(app) as client:
        assert client.get("/lost").text == "before the start"


def test_an_error_handler_answers_within_middleware() -> None:
    app = App()
    app.provide(words("word"))

    @app.middleware
    def outer(request: Request, call_next: Any) -> Response[Any]:
        response: Response[Any] = call_next(request)
        response.headers["x-seen"] = str(response.status)
        return response

    @app.middleware
    async def inner(request: Request, call_next: CallNext) -> Response[Any]:
        return await call_next(request)

    @app.error(404)
    async def missing(request: Request, error: HTTPError, word: Word) -> str:
        await asyncio.sleep(0)
        return word.text

    @app.get("/")
    def home() -> str:
        raise NotFound

    with TestClient(app) as client:
        for path in ("/", "/lost"):
            answer = client.get(path)
            assert (answer.text, answer.headers["x-seen"]) == ("word", "404")


@pytest.mark.parametrize("route_is_async", [True, False])
def test_its_page_may_call_the_loop_as_a_handlers_may(route_is_async: bool, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ word() }}")
    app = App(plugins=[Templates(tmp_path)])

    async def later() -> str:
        return "called"

    def word() -> str:
        return from_thread(later)

    def show() -> None:
        raise NotFound

    async def show_async() -> None:
        raise NotFound

    app.get("/")(show_async if route_is_async else show)

    @app.error(404)
    def missing(request: Request, error: HTTPError) -> Template:
        return Template("page.html", word=word, status=404)

    with TestClient(app) as client:
        assert client.get("/").text == "called"


def test_an_error_handler_that_takes_two_is_called_as_it_is() -> None:
    app, made = App(), list[int]()

    @app.provide
    def word() -> Word:
        made.append(1)
        return Word("word")

    @app.error(404)
    async def missing(request: Request, error: HTTPError) -> str:
        return "plain"

    compiled = compile_app(app, mode="test")
    (level,) = compiled.dispatch.own_errors

    assert level[404].function is missing
    with TestClient(app) as client:
        assert client.get("/lost").text == "plain"
    assert made == []


@pytest.mark.parametrize(
    ("code", "handler"),
    [
        ("injection.blocks", "async def f(request, error, row: Row): return row"),
        ("binding.error-handler", "def f(request, error, q: str): return q"),
        ("binding.error-handler", "def f(request, error, b: BackgroundTasks): return 1"),
        ("injection.not-visible", "def f(request, error, w: Word): return w"),
    ],
)
def test_what_cannot_be_given_is_refused_at_start(code: str, handler: str) -> None:
    app = App()

    @app.provide(async_type=Word)
    def row() -> Row:
        return Row(1)

    names: dict[str, Any] = {"Row": Row, "Word": Word, "BackgroundTasks": BackgroundTasks}
    exec(handler, names)  # noqa: S102 - written above
    app.error(404)(names["f"])

    with pytest.raises(ConfigurationError) as refused:
        compile_app(app, mode="test")

    assert refused.value.code == code
