"""BlackSheep on Granian (ASGI), with the JSON settings that its documentation recommends."""

from typing import Annotated

import orjson
from blacksheep import Application, json, text
from blacksheep.settings.json import json_settings
from pydantic import BaseModel, Field

json_settings.use(loads=orjson.loads, dumps=lambda value: orjson.dumps(value).decode())
app = Application()


class Item(BaseModel):
    name: Annotated[str, Field(max_length=100)]
    email: Annotated[str, Field(max_length=100)]
    age: Annotated[int, Field(ge=0, le=150)]
    tags: list[str]
    active: bool


@app.router.get("/")
async def home():
    return text("Hello, world!")


@app.router.get("/json")
async def message():
    return json({"message": "Hello, world!"})


@app.router.get("/items/{id}")
async def item(id: int, limit: int, q: str, active: bool):  # noqa: FBT001 - from the query
    return json({"id": id, "limit": limit, "q": q, "active": active})


@app.router.post("/items")
async def create(item: Item):
    return json(item.model_dump())
