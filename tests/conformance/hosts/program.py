"""What is served by every host: one route for each thing that a host has its part in."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

from kingpost import (
    App,
    Event,
    File,
    FileResponse,
    Forbidden,
    Form,
    Redirect,
    Request,
    Response,
    UploadFile,
    WebSocket,
)
from kingpost.channels import Channels

app = App(plugins=[Channels()])
application = app.wsgi
HERE = Path(__file__)


def note(what: str) -> None:
    """Tells the test what has happened."""
    with Path(os.environ["KINGPOST_TEST_NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write(f"{what}\n")


@app.lifespan
@contextlib.asynccontextmanager
async def life() -> AsyncGenerator[None]:
    note("start")
    yield
    note("stop")


@app.get("/")
async def home() -> str:
    return "Hello, world!"


@app.get("/def")
def on_thread() -> str:
    return "Hello from a thread!"


@app.get("/slow")
async def slow() -> str:
    await asyncio.sleep(0.01)
    return "waited"


@app.post("/json")
async def sum_of(request: Request) -> dict[str, int]:
    return {"sum": sum(request.json())}


@app.post("/upload")
async def upload(
    title: Annotated[str, Form()], file: Annotated[UploadFile, File()]
) -> list[str | int | None]:
    return [title, file.filename, file.size]


@app.post("/def-upload")
def upload_here(
    title: Annotated[str, Form()], file: Annotated[UploadFile, File()]
) -> list[str | int | None]:
    return [title, file.filename, file.size]


@app.get("/chunks")
async def chunks() -> AsyncIterator[str]:
    for number in range(3):
        yield f"{number}\n"
        await asyncio.sleep(0.001)


@app.get("/def-chunks")
def chunks_here() -> Iterator[str]:
    for number in range(3):
        yield f"{number}\n"


@app.get("/large")
async def large() -> bytes:
    return b"x" * 3_000_000


@app.get("/forever")
async def forever() -> AsyncIterator[bytes]:
    try:
        while True:
            yield b"x" * 65_536
            await asyncio.sleep(0)
    finally:
        note("left")


@app.get("/events")
async def events() -> AsyncIterator[Event[int]]:
    # Without end: WSGI hears that a client has left when it sends.
    while True:
        yield Event(1)
        await asyncio.sleep(0.05)


@app.get("/hints")
async def hints(request: Request) -> str:
    request.early_hints("</a.css>; rel=preload")
    return "hinted"


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(HERE)


@app.get("/fail")
async def fail() -> str:
    raise ValueError("this is meant to fail")


@app.get("/moved")
async def moved() -> Redirect:
    return Redirect("/")


@app.get("/cookies")
async def cookies(request: Request) -> Response[str]:
    response = Response(",".join(request.cookies))
    response.set_cookie("one", "1")
    response.set_cookie("two", "2")
    return response


@app.get("/seen")
async def seen(request: Request) -> list[str | None]:
    return [request.client, request.scheme, request.method, request.path, request.query.get("q")]


@app.websocket("/talk/texts")
async def texts(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message)


@app.websocket("/talk/bytes")
async def data(ws: WebSocket[bytes, bytes]) -> None:
    async for message in ws:
        await ws.send(message)


@app.websocket("/talk/choice")
async def choice(ws: WebSocket, request: Request) -> None:
    await ws.accept(subprotocol="b", headers={"X-Mark": "1"})
    await ws.send(f"{list(ws.subprotocols)} {request.scheme} {request.client} {request.query['q']}")
    await ws.close(4001, "enough")


@app.websocket("/talk/refused")
async def refused(ws: WebSocket) -> None:
    raise Forbidden("not you", headers={"X-Why": "because"})


@app.websocket("/talk/later")
async def later(ws: WebSocket) -> None:
    await ws.accept()
    await asyncio.sleep(0.01)
    await ws.close(4002)


@app.websocket("/talk/broken")
async def broken(ws: WebSocket) -> None:
    await ws.send("x")
    raise ValueError("this is meant to fail")


@app.websocket("/talk/heard")
async def heard(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message)
    assert ws.closed is not None
    note(f"closed-{ws.closed[0]}")


@app.websocket("/talk/much")
async def much(ws: WebSocket) -> None:
    try:
        while True:
            await ws.send("x" * 65_536)
    finally:
        note("much-ended")


@app.websocket("/talk/room/{room}")
async def talk(ws: WebSocket, room: str, channels: Channels) -> None:
    async with channels.join(room, ws):
        await ws.send("joined")
        async for message in ws:
            await channels.publish(room, message)
