"""Every kind of JSON body: a dict, a dataclass, a TypedDict, a list of models, none at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from kingpost import App, Body, BodyStream, Request, Struct

app = App()


@dataclass
class Point:
    x: float
    y: float = 0.0
    labels: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        if self.x == self.y == 0:
            raise ValueError("the origin is taken")


class Options(TypedDict, total=False):
    colour: str
    width: int


class Item(Struct):
    name: str


@app.post("/dict")
def a_dict(body: dict[str, Any]) -> dict[str, int]:
    return {"keys": len(body)}


@app.post("/dataclass")
def a_dataclass(point: Point) -> Point:
    return Point(point.x * 2, point.y * 2, point.labels)


@app.post("/typed-dict")
def a_typed_dict(options: Options) -> Options:
    return options


@app.post("/models")
def many_models(items: list[Item]) -> list[str]:
    return [item.name for item in items]


@app.post("/numbers")
def numbers(values: Annotated[list[int], Body()]) -> int:
    return sum(values)


@app.put("/maybe")
def maybe(item: Item | None = None) -> str:
    return item.name if item else "nothing"


@app.post("/raw")
def raw(request: Request) -> dict[str, int]:
    return {"bytes": len(request.body), "fields": len(request.form())}


@app.post("/stream", max_body="2 MiB")
async def stream(body: BodyStream) -> dict[str, int]:
    received = 0
    async for chunk in body:
        received += len(chunk)
    return {"received": received}
