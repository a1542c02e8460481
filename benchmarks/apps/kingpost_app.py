"""Ours: a plain `App()` with all that it switches on, and a hundred routes in its router."""

import asyncio
from typing import Annotated

import msgspec
from computing import compute
from ticker import Ticker

from kingpost import App

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


@app.get("/lag")
async def lag() -> str:
    return TICKER.report(asyncio.get_running_loop())


async def section(id: int) -> str:
    return f"section {id}"


for number in range(91):
    app.get(f"/sections/{number}/{{id:int}}", name=f"section{number}")(section)
