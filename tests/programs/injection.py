"""Objects that handlers name by their type: a connection for each request, a user, a repository of any model."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Generator
from typing import Annotated, Any, Generic, TypeVar

from kingpost import App, Depends, NotFound, Request, Response, Struct, Unauthorized

app = App()
T = TypeVar("T")


class Clock(Struct):
    """One for the whole process."""

    started: int


class User(Struct):
    name: str


class Note(Struct):
    text: str


class Repository(Generic[T]):
    def __init__(self, model: type[T], connection: sqlite3.Connection) -> None:
        self.model = model
        self.connection = connection

    def add(self, text: str) -> None:
        self.connection.execute("insert into rows values (?, ?)", (self.model.__name__, text))

    def texts(self) -> list[str]:
        rows = self.connection.execute(
            "select text from rows where model = ?", (self.model.__name__,)
        )
        return [text for (text,) in rows]


class Trace:
    """Written by what runs on the event loop."""

    def __init__(self) -> None:
        self.steps: list[str] = []


@app.provide(scope="app")
def clock() -> Clock:
    return Clock(started=1)


@app.provide
def connection() -> Generator[sqlite3.Connection, Response[Any], None]:
    opened = sqlite3.connect("notes.db")
    try:
        response = yield opened
        if response.status < 400:
            opened.commit()
    finally:
        opened.close()


@app.provide
def repository(model: type[T], connection: sqlite3.Connection) -> Repository[T]:
    return Repository(model, connection)


@app.provide(inline=True)
def maybe_user(request: Request) -> User | None:
    name = request.headers.get("x-user")
    return None if name is None else User(name=name)


@app.provide(inline=True)
def user(found: User | None) -> User:
    if found is None:
        raise Unauthorized("say who you are in x-user")
    return found


@app.provide
async def trace() -> AsyncIterator[Trace]:
    made = Trace()
    yield made
    made.steps.append("finished")


def page_size(size: int = 20) -> int:
    return min(size, 100)


@app.get("/notes")
def notes(notes: Repository[Note], size: Annotated[int, Depends(page_size)]) -> list[str]:
    return notes.texts()[:size]


@app.post("/notes", status=201)
def add(new: Note, notes: Repository[Note], user: User) -> Response[str]:
    notes.add(f"{user.name}: {new.text}")
    if not new.text:
        return Response("nothing to note", status=422)
    return Response("noted", status=201)


@app.get("/notes/{number:int}")
async def show(number: int, user: User | None, trace: Trace) -> dict[str, str | None]:
    trace.steps.append("shown")
    if number > 9:
        raise NotFound(f"no note {number}")
    return {"for": None if user is None else user.name}


@app.get("/clock")
async def time(clock: Clock) -> int:
    return clock.started
