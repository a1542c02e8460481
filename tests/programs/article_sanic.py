"""A Sanic blueprint: a version, a middleware, an error handler, answers that are sent bit by bit; and the clock on a WebSocket."""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import AsyncIterator
from typing import Any

from kingpost import App, Blueprint, CallNext, NotFound, Request, Response, Struct, WebSocket

notes = Blueprint("notes", prefix="/notes", version="1")


class Note(Struct):
    text: str


NOTES = {1: Note("buy milk")}


@notes.middleware
async def named(request: Request, call_next: CallNext) -> Response[Any]:
    response = await call_next(request)
    response.headers["x-part"] = "notes"
    return response


@notes.error(NotFound)
async def missing(request: Request, error: NotFound) -> Response[dict[str, str]]:
    return Response({"missing": request.path}, status=404)


@notes.get("/{note_id:int}")
async def show(note_id: int) -> Note:
    if note_id not in NOTES:
        raise NotFound(f"no note {note_id}")
    return NOTES[note_id]


@notes.get("/clock")
async def clock(times: int = 3, wait: float = 3.0) -> AsyncIterator[str]:
    for _ in range(times):
        yield datetime.datetime.now(datetime.UTC).isoformat() + "\n"
        await asyncio.sleep(wait)


app = App()


@app.websocket("/websocket")
async def time(websocket: WebSocket, at_most: float = 3) -> None:
    while True:
        now = datetime.datetime.now(datetime.UTC).isoformat()
        await websocket.send(now)
        await asyncio.sleep(random.random() * at_most)  # noqa: S311 - no secret


app.include(notes, prefix="/api")
