"""FastAPI on uvicorn."""

import asyncio
from typing import Annotated

from computing import compute
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field
from ticker import Ticker

TICKER = Ticker()
app = FastAPI()


class Item(BaseModel):
    name: Annotated[str, Field(max_length=100)]
    email: Annotated[str, Field(max_length=100)]
    age: Annotated[int, Field(ge=0, le=150)]
    tags: list[str]
    active: bool


@app.get("/", response_class=PlainTextResponse)
async def home():
    return "Hello, world!"


@app.get("/thread", response_class=PlainTextResponse)
def thread():
    return "Hello, world!"


@app.get("/compute", response_class=PlainTextResponse)
def computed():
    return compute()


@app.get("/suspend", response_class=PlainTextResponse)
async def suspend():
    await asyncio.sleep(0)
    return "Hello, world!"


@app.get("/json")
async def message():
    return {"message": "Hello, world!"}


@app.get("/items/{id}")
async def item(id: int, limit: int, q: str, active: bool):  # noqa: FBT001 - from the query
    return {"id": id, "limit": limit, "q": q, "active": active}


@app.post("/items")
async def create(item: Item) -> Item:
    return item


@app.get("/lag", response_class=PlainTextResponse)
async def lag():
    return TICKER.report(asyncio.get_running_loop())
