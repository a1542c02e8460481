from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.unit.cli import calling

call = partial(calling.call, "request")
APP = """
from typing import Annotated
from kingpost import App, Form, NotFound, Request, Response, Struct

class Todo(Struct):
    title: str

app = App()

@app.get("/todos/{id:int}")
def show(id: int, request: Request) -> Response[str]:
    if id > 9:
        raise NotFound(f"no todo {id}")
    return Response(f"todo {id}", headers={"x-seen": request.headers.get("x-asked", "")})

@app.post("/todos", status=201)
def add(todo: Todo) -> Todo:
    return todo

@app.post("/login")
def login(name: Annotated[str, Form()]) -> str:
    return f"welcome {name}"

@app.get("/broken")
def broken() -> str:
    raise RuntimeError("never told")
"""


@pytest.fixture(autouse=True)
def program(folder: Path) -> None:
    (folder / "app.py").write_text(APP)


def test_the_body_is_printed_and_nothing_else() -> None:
    result = call("GET", "/todos/7")

    assert (result.exit_code, result.stdout) == (0, "todo 7\n")


def test_the_head_is_printed_when_asked_for() -> None:
    result = call("get", "/todos/7", "-i", "-H", "X-Asked: twice")

    head, _, body = result.stdout.partition("\n\n")
    assert head.startswith("HTTP/1.1 200 OK\n")
    assert "x-seen: twice" in head
    assert body == "todo 7\n"


def test_a_refusal_is_status_1_and_says_so() -> None:
    result = call("GET", "/todos/70")

    assert result.exit_code == 1
    assert "404 Not Found" in result.stderr
    assert "no todo 70" in result.stdout


def test_an_exception_of_the_handler_is_a_500() -> None:
    result = call("GET", "/broken")

    assert result.exit_code == 1
    assert "500" in result.stderr


@pytest.mark.parametrize("source", ["inline", "file", "pipe"])
def test_bodies_are_json_unless_said_otherwise(source: str, folder: Path) -> None:
    (folder / "todo.json").write_text('{"title":"tea"}')
    data = {"inline": '{"title":"tea"}', "file": "@todo.json", "pipe": "@-"}[source]
    result = call("POST", "/todos", "-d", data, given=b'{"title":"tea"}')

    assert (result.exit_code, result.stdout) == (0, '{"title":"tea"}\n')


def test_forms() -> None:
    assert call("POST", "/login", "-f", "name=Ada Lovelace").stdout == "welcome Ada Lovelace\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("GET", "todos"), "begins with '/'"),
        (("GET", "/", "-H", "nonsense"), "is not NAME:VALUE"),
        (("POST", "/", "-f", "nonsense"), "is not NAME=VALUE"),
        (("POST", "/", "-d", "{}", "-f", "a=b"), "one body"),
        (("POST", "/", "-d", "@missing.json"), "missing.json cannot be read"),
        (("G T", "/"), "is not a method"),
    ],
)
def test_what_cannot_be_sent_is_said(arguments: tuple[str, ...], said: str) -> None:
    result = call(*arguments)

    assert result.exit_code == 2
    assert said in result.stderr
