"""Fields that a model does not have: ignored, or refused by the class or by the route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

import attrs
import pydantic

from kingpost import App, Struct
from kingpost.schema import closed

app = App()


@dataclass
class Item:
    name: str


@app.post("/ignored")
def ignored(item: Item) -> str:
    return item.name


@app.post("/refused-here")
def refused_here(item: Annotated[Item, closed]) -> str:
    return item.name


class StrictStruct(Struct, forbid_unknown_fields=True):
    name: str


@app.post("/struct")
def a_struct(item: StrictStruct) -> str:
    return item.name


@closed
@dataclass
class StrictDataclass:
    name: str


@app.post("/dataclass")
def a_dataclass(item: StrictDataclass) -> str:
    return item.name


@closed
class StrictDict(TypedDict):
    name: str


@app.post("/typed-dict")
def a_typed_dict(item: StrictDict) -> str:
    return item["name"]


@closed
@attrs.define
class StrictAttrs:
    name: str


@app.post("/attrs")
def an_attrs_class(item: StrictAttrs) -> str:
    return item.name


class StrictPydantic(pydantic.BaseModel, extra="forbid"):
    name: str


@app.post("/pydantic")
def a_pydantic_model(item: StrictPydantic) -> str:
    return item.name


class Order(Struct):
    """Refused in one place only."""

    items: list[Annotated[Item, closed]]


@app.post("/inside")
def inside(order: Order) -> int:
    return len(order.items)
