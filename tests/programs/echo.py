"""WebSockets in their shortest forms: texts, bytes, JSON, subprotocols, a table and a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from kingpost import App, Blueprint, NotFound, Route, WebSocket


@dataclass
class Point:
    x: int
    y: int


class Sum(TypedDict):
    sum: int


async def echo(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message)


async def echo_bytes(ws: WebSocket[bytes, bytes]) -> None:
    async for message in ws:
        await ws.send(message[::-1])


app = App(routes=[Route.websocket("/echo", echo), Route.websocket("/bytes", echo_bytes)])
lines = Blueprint("lines", prefix="/lines")


@app.websocket("/points")
async def points(ws: WebSocket[list[Point], Point | None]) -> None:
    async for points in ws:
        await ws.send(max(points, key=lambda point: point.x) if points else None)


@lines.websocket("/{name}", subprotocols=["v2", "v1"])
async def line(ws: WebSocket[str | bytes, Sum], name: str, start: int = 0) -> None:
    """Counts characters and bytes."""
    if name == "nowhere":
        raise NotFound(f"no line is called {name}")
    total = start
    async for message in ws:
        total += len(message)
        await ws.send({"sum": total})


@app.resource("/clock")
class Clock:
    """The same path for those who ask once, and for those who stay."""

    def get(self) -> str:
        return "noon"

    async def websocket(self, ws: WebSocket) -> None:
        await ws.send("noon")
        assert await ws.receive() == "and now?"
        await ws.send("still noon")


app.include(lines)
