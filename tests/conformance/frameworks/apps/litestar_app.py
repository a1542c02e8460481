"""Litestar: the pages of its documentation."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Litestar, MediaType, Request, WebSocket, get, post, websocket
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import File, Redirect, Response, Stream


@dataclass
class Item:
    name: str
    price: float
    tags: list[str]


@get("/", media_type=MediaType.HTML)
async def home() -> str:
    return "<h1>Hello, world!</h1>"


@get("/fail")
async def fail() -> str:
    raise LookupError("the page fails")


@get("/redirect")
async def leave() -> Redirect:
    return Redirect("/")


@get("/cookie")
async def cookie() -> Response[str]:
    answer = Response("set", media_type=MediaType.TEXT)
    answer.set_cookie("one", "1", httponly=True)
    return answer


@get("/seen")
async def seen(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"cookies": dict(request.cookies), "tags": request.headers.getall("x-tag", [])}


@post("/upload")
async def upload(
    data: Annotated[UploadFile, Body(media_type=RequestEncodingType.MULTI_PART)],
) -> dict[str, Any]:
    return {"name": data.filename, "size": len(await data.read())}


@post("/json")
async def json(data: Item) -> Item:
    return data


@post("/size", media_type=MediaType.TEXT)
async def size(request: Request[Any, Any, Any]) -> str:
    return str(len(await request.body()))


@get("/stream")
async def stream() -> Stream:
    async def pieces() -> AsyncIterator[str]:
        for number in range(5):
            yield f"{number}\n" * 1000

    return Stream(pieces(), media_type="text/plain")


@get("/query")
async def query(x: list[int], y: str) -> dict[str, Any]:
    return {"x": x, "y": y}


@get("/item/{number:int}")
async def item(number: int) -> dict[str, int]:
    return {"number": number}


@get("/text/{text:str}")
async def text(text: str, request: Request[Any, Any, Any]) -> dict[str, str]:
    return {"text": text, "path": request.url.path}


@get("/empty", status_code=204)
async def empty() -> None: ...


@get("/file")
async def file() -> File:
    return File(os.environ["GRID_FILE"], media_type="text/plain")


@websocket("/echo")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.accept()
    while (message := await socket.receive_text()) != "bye":
        await socket.send_text(message.upper())
    await socket.close(4000, "bye")


@websocket("/closed")
async def closed(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.close()


app = Litestar(
    [
        home,
        fail,
        leave,
        cookie,
        seen,
        upload,
        json,
        size,
        stream,
        query,
        item,
        text,
        empty,
        file,
        echo,
        closed,
    ],
    openapi_config=None,
)
