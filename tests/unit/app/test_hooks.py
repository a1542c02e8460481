"""Hooks before and after handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kingpost import App, Blueprint, NotFound, Request, Response, Struct, Unauthorized, route
from kingpost.testing import TestClient
from tests.unit.app.asking import ask


def noting(log: list[str], word: str, *, is_async: bool = False) -> Callable[[], Any]:
    async def note_async() -> None:
        log.append(word)

    def note() -> None:
        log.append(word)

    return note_async if is_async else note


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("handler", ["def", "async", "inline"])
def test_the_order_is_outside_in_and_back_again(is_async: bool, handler: str) -> None:
    log: list[str] = []
    app, part = App(), Blueprint("part")
    for registrar, name in ((app, "app"), (part, "part")):
        registrar.before_request(noting(log, f"before {name}", is_async=is_async))
        registrar.after_request(noting(log, f"after {name}", is_async=not is_async))

    def show() -> str:
        log.append("handler")
        return "x"

    async def show_async() -> str:
        return show()

    part.get(
        "/",
        inline=handler == "inline",
        before=[noting(log, "before route"), noting(log, "before 2", is_async=True)],
        after=[noting(log, "after route"), noting(log, "after 2", is_async=True)],
    )(show_async if handler == "async" else show)
    app.include(part)

    assert ask(app).text == "x"
    assert log == [
        *("before app", "before part", "before route", "before 2", "handler"),
        *("after route", "after 2", "after part", "after app"),
    ]


def test_a_resource_has_hooks_for_all_its_methods() -> None:
    log: list[str] = []
    app = App()

    @app.resource("/x", before=[noting(log, "class")], after=[noting(log, "class after")])
    class Thing:
        def get(self) -> str:
            return "got"

        @route("/more", before=[noting(log, "method")], after=[noting(log, "method after")])
        def more(self) -> str:
            return "more"

    assert ask(app, "/x").text == "got"
    assert log == ["class", "class after"]

    log.clear()
    ask(app, "/x/more")

    assert log == ["class", "method", "method after", "class after"]


@pytest.mark.parametrize(
    ("value", "status", "text"),
    [
        (Response("closed", status=503), 503, "closed"),
        ("words", 200, "words"),
        ({"a": 1}, 200, '{"a":1}'),
        (0, 200, "0"),
        ("", 200, ""),
        (b"", 200, ""),
    ],
    ids=["response", "text", "dict", "zero", "empty", "no-bytes"],
)
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("handler", ["def", "async"])
def test_what_it_returns_is_the_answer(
    value: Any, status: int, text: str, is_async: bool, handler: str
) -> None:
    app = App()

    def hook() -> Any:
        return value

    async def hook_async() -> Any:
        return value

    app.before_request(hook_async if is_async else hook)

    async def show() -> int:
        raise AssertionError

    def show_def() -> int:
        raise AssertionError

    app.get("/")(show if handler == "async" else show_def)
    answer = ask(app)

    assert (answer.status, answer.text) == (status, text)


@pytest.mark.parametrize("value", [(1, 2), object()], ids=["tuple", "object"])
def test_what_can_be_no_answer_is_told_by_the_name_of_the_hook(value: Any) -> None:
    app = App()

    @app.before_request
    def odd() -> Any:
        return value

    app.get("/")(lambda: "x")

    with TestClient(app) as client, pytest.raises(Exception, match=r"^odd returned"):
        client.get("/")


def test_an_after_hook_may_put_another_answer_in_its_place() -> None:
    app = App()

    @app.after_request
    def changed(response: Response[Any], request: Request) -> Response[str] | None:
        response.headers["x-path"] = request.path
        return Response("instead", status=203) if response.status == 200 else None

    app.get("/")(lambda: "x")

    def fail() -> str:
        raise NotFound("no")

    app.get("/fail")(fail)

    assert (ask(app).status, ask(app).text) == (203, "instead")
    assert ask(app, "/fail").headers["x-path"] == "/fail"
    assert ask(app, "/nothing").headers["x-path"] == "/nothing"


class User(Struct):
    name: str


@pytest.mark.parametrize("handler", ["def", "async"])
def test_hooks_are_injected_and_share_what_is_made(handler: str) -> None:
    app = App()
    made: list[int] = []

    @app.provide
    def user(request: Request) -> User:
        made.append(1)
        if "x-user" not in request.headers:
            raise Unauthorized("who")
        return User(request.headers["x-user"])

    @app.before_request
    def look(user: User, page: int = 1) -> Response[str] | None:
        return Response("later", status=202) if page > 5 else None

    @app.after_request
    async def tell(response: Response[Any], user: User) -> None:
        response.headers["x-for"] = user.name

    def show(user: User) -> str:
        return user.name

    async def show_async(user: User) -> str:
        return user.name

    app.get("/")(show if handler == "def" else show_async)

    answer = ask(app, headers={"x-user": "ann"})
    assert (answer.text, answer.headers["x-for"], made) == ("ann", "ann", [1])
    assert ask(app, "/?page=6", headers={"x-user": "ann"}).status == 202
    # A hook that asks for what could not be made is not called: its want is not the answer.
    assert ask(app).status == 401
    assert ask(app, "/?page=x", headers={"x-user": "ann"}).status == 422


def test_a_hook_that_fails_is_answered_like_a_handler() -> None:
    app = App()

    @app.error(KeyError)
    def sorry(request: Request, error: KeyError) -> str:
        return "sorry"

    @app.after_request
    def broken(request: Request) -> None:
        raise KeyError(request.path)

    app.get("/")(lambda: "x")

    assert (ask(app).status, ask(app).text) == (500, "sorry")
