"""FastAPI on uvicorn."""

import asyncio
from typing import Annotated

from chain import Clock, Session, User
from computing import compute
from fastapi import Depends, FastAPI
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


async def make_clock():
    return Clock()


async def make_session(clock: Annotated[Clock, Depends(make_clock)]):
    return Session(clock)


async def make_user(session: Annotated[Session, Depends(make_session)]):
    return User(session)


around = FastAPI()


async def passes_on(request, call_next):
    return await call_next(request)


for _ in range(3):
    around.middleware("http")(passes_on)


@around.get("/items/{id}")
async def item_around(
    id: int,
    limit: int,
    q: str,
    active: bool,  # noqa: FBT001 - from the query
    user: Annotated[User, Depends(make_user)],
):
    return {"id": id, "limit": limit, "q": q, "active": active and user.session.clock.now == 1}


app.mount("/around", around)


@app.get("/lag", response_class=PlainTextResponse)
async def lag():
    return TICKER.report(asyncio.get_running_loop())
