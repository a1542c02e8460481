"""FastAPI: the pages of its tutorial."""

import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Cookie, FastAPI, File, Form, Header, Query, Request, UploadFile, WebSocket
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    name: str
    price: float
    tags: list[str] = []


@app.get("/", response_class=HTMLResponse)
async def home() -> str:
    return "<h1>Hello World</h1>"


@app.get("/fail")
def fail() -> None:
    raise LookupError("the page fails")


@app.get("/redirect")
async def leave() -> RedirectResponse:
    return RedirectResponse("/")


@app.get("/cookie")
async def cookie() -> PlainTextResponse:
    answer = PlainTextResponse("set")
    answer.set_cookie("one", "1", httponly=True)
    answer.set_cookie("two", "a b")
    return answer


@app.get("/seen")
async def seen(
    one: Annotated[str | None, Cookie()] = None,
    x_tag: Annotated[list[str] | None, Header()] = None,
) -> Any:
    return {"one": one, "tags": x_tag}


@app.post("/form")
def form(name: Annotated[str, Form()], n: Annotated[list[int], Form()]) -> Any:
    return {"name": name, "all": n}


@app.post("/upload")
async def upload(file: Annotated[UploadFile, File()]) -> Any:
    return {"name": file.filename, "size": len(await file.read())}


@app.post("/json")
async def json(item: Item) -> Item:
    return item


@app.post("/size", response_class=PlainTextResponse)
async def size(request: Request) -> str:
    return str(len(await request.body()))


@app.get("/stream")
def stream() -> StreamingResponse:
    def pieces() -> Iterator[str]:
        for number in range(5):
            yield f"{number}\n" * 1000

    return StreamingResponse(pieces(), media_type="text/plain")


@app.get("/query")
async def query(x: Annotated[list[str], Query()], y: str | None = None) -> Any:
    return {"x": x, "y": y}


@app.get("/item/{number}")
async def item(number: int) -> Any:
    return {"number": number}


@app.get("/text/{text}")
async def text(text: str, request: Request) -> Any:
    return {"text": text, "path": request.url.path}


@app.get("/empty", status_code=204)
async def empty() -> None: ...


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(os.environ["GRID_FILE"], media_type="text/plain")


@app.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        message = await websocket.receive_text()
        if message == "bye":
            await websocket.close(4000, "bye")
            return
        await websocket.send_text(message.upper())


@app.websocket("/closed")
async def closed(websocket: WebSocket) -> None:
    await websocket.close()
