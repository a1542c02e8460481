"""Ours: a plain `App()` with all that it switches on, and a hundred routes in its router."""

import asyncio
import os
from typing import Annotated

import msgspec
from chain import Clock, Session, User
from computing import compute
from ticker import Ticker

from kingpost import App, Blueprint, CallNext, Request, Response
from kingpost.staticfiles import Static

TICKER = Ticker()
app = App()


class Item(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=100)]
    email: Annotated[str, msgspec.Meta(max_length=100)]
    age: Annotated[int, msgspec.Meta(ge=0, le=150)]
    tags: list[str]
    active: bool


@app.get("/")
async def home() -> str:
    return "Hello, world!"


@app.get("/inline", inline=True)
def inline() -> str:
    return "Hello, world!"


@app.get("/thread")
def thread() -> str:
    return "Hello, world!"


@app.get("/compute")
def computed() -> str:
    return compute()


app.add_route("/constant", Response("Hello, world!"))


@app.get("/suspend")
async def suspend() -> str:
    await asyncio.sleep(0)
    return "Hello, world!"


@app.get("/json")
async def message() -> dict[str, str]:
    return {"message": "Hello, world!"}


@app.get("/items/{id:int}")
async def item(id: int, limit: int, q: str, active: bool) -> dict[str, object]:  # noqa: FBT001 - from the query
    return {"id": id, "limit": limit, "q": q, "active": active}


@app.post("/items")
async def create(item: Item) -> Item:
    return item


async def passes_on(request: Request, call_next: CallNext) -> Response:
    return await call_next(request)


@app.get("/middleware-1", middleware=[passes_on])
async def one_around() -> str:
    return "Hello, world!"


@app.get("/middleware-11", middleware=[passes_on] * 11)
async def eleven_around() -> str:
    return "Hello, world!"


around = Blueprint("around", prefix="/around", middleware=[passes_on, passes_on, passes_on])


@around.provide
async def clock() -> Clock:
    return Clock()


@around.provide
async def session(clock: Clock) -> Session:
    return Session(clock)


@around.provide
async def user(session: Session) -> User:
    return User(session)


@around.get("/items/{id:int}")
async def item_around(id: int, limit: int, q: str, active: bool, user: User) -> dict[str, object]:  # noqa: FBT001 - from the query
    return {"id": id, "limit": limit, "q": q, "active": active and user.session.clock.now == 1}


app.include(around)
app.include(Static("/static", os.environ.get("BENCH_STATIC", ".")))


@app.get("/lag")
async def lag() -> str:
    return TICKER.report(asyncio.get_running_loop())


async def section(id: int) -> str:
    return f"section {id}"


for number in range(88):
    app.get(f"/sections/{number}/{{id:int}}", name=f"section{number}")(section)
