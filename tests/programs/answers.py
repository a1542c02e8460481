"""Everything that a handler may return."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from kingpost import App, Html, Redirect, Request, Response, Struct

app = App()


class Person(Struct):
    name: str


class Employee(Person, kw_only=True):
    salary: int = 1_000_000


@dataclass
class Point:
    x: int


@app.get("/text")
def text() -> str:
    return "plain <b>text</b>"


@app.get("/html")
def html(name: str = "<you>") -> Html:
    return Html.format("<h1>Hello, {}</h1>", name)


@app.get("/bytes")
def some_bytes() -> bytes:
    return b"\x00\x01"


@app.get("/nothing")
def nothing() -> None:
    return None


@app.get("/number")
def number() -> float:
    return 1.5


@app.get("/unannotated")
def unannotated():  # type: ignore[no-untyped-def]  # noqa: ANN201 - a first program has no types
    return {"a": 1}


@app.get("/model")
def model() -> Person:
    return Employee(name="Ada")


@app.get("/models")
def models() -> list[Person]:
    return [Person("Ada"), Employee(name="Grace")]


@app.get("/maybe")
def maybe(*, there: bool = False) -> Person | None:
    return Employee(name="Ada") if there else None


@app.get("/dataclass")
def a_dataclass() -> Point:
    return Point(3)


@app.get("/cookie")
def cookie() -> Response[str]:
    return Response("set").set_cookie("flavour", "oat")


@app.get("/created")
def created() -> Response[Person]:
    return Response(Employee(name="Ada"), status=201, headers={"Location": "/model"})


@app.get("/elsewhere")
def elsewhere() -> Redirect | str:
    return Redirect("/text")


@app.get("/chunks")
def chunks() -> Iterator[bytes]:
    yield b"a"
    yield b"b"


@app.get("/people")
async def people() -> AsyncIterator[Person]:
    yield Employee(name="Ada")
    yield Person("Grace")


@app.get("/inline", inline=True)
def inline(request: Request) -> str:
    return request.method


@app.get("/old", deprecated=True, tags=["legacy"], summary="Gone soon", timeout=5)
async def old() -> str:
    return "old"
