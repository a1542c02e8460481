"""Starlette: the pages of its documentation."""

import os
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket


async def home(request: Request) -> Response:
    return HTMLResponse("<h1>Hello, world!</h1>")


async def fail(request: Request) -> Response:
    raise LookupError("the page fails")


async def leave(request: Request) -> Response:
    return RedirectResponse(request.url_for("home").path)


async def cookie(request: Request) -> Response:
    answer = PlainTextResponse("set")
    answer.set_cookie("one", "1", httponly=True)
    answer.set_cookie("two", "a b")
    return answer


async def seen(request: Request) -> Response:
    return JSONResponse({"cookies": request.cookies, "tags": request.headers.getlist("x-tag")})


async def form(request: Request) -> Response:
    async with request.form() as sent:
        return JSONResponse({"name": sent["name"], "all": sent.getlist("n")})


async def upload(request: Request) -> Response:
    async with request.form() as sent:
        file: Any = sent["file"]
        return JSONResponse({"name": file.filename, "size": len(await file.read())})


async def json(request: Request) -> Response:
    return JSONResponse(await request.json())


async def size(request: Request) -> Response:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
    return PlainTextResponse(str(total))


async def stream(request: Request) -> Response:
    async def pieces() -> AsyncIterator[str]:
        for number in range(5):
            yield f"{number}\n" * 1000

    return StreamingResponse(pieces(), media_type="text/plain")


async def query(request: Request) -> Response:
    return JSONResponse(
        {"x": request.query_params.getlist("x"), "y": request.query_params.get("y")}
    )


async def item(request: Request) -> Response:
    return JSONResponse({"number": request.path_params["number"]})


async def text(request: Request) -> Response:
    return JSONResponse({"text": request.path_params["text"], "path": request.url.path})


async def empty(request: Request) -> Response:
    return Response(status_code=204)


async def file(request: Request) -> Response:
    return FileResponse(os.environ["GRID_FILE"], media_type="text/plain")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        message = await websocket.receive_text()
        if message == "bye":
            await websocket.close(4000, "bye")
            return
        await websocket.send_text(message.upper())


async def closed(websocket: WebSocket) -> None:
    await websocket.close()


app = Starlette(
    routes=[
        Route("/", home),
        Route("/fail", fail),
        Route("/redirect", leave),
        Route("/cookie", cookie),
        Route("/seen", seen),
        Route("/form", form, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/json", json, methods=["POST"]),
        Route("/size", size, methods=["POST"]),
        Route("/stream", stream),
        Route("/query", query),
        Route("/item/{number:int}", item),
        Route("/text/{text}", text),
        Route("/empty", empty),
        Route("/file", file),
        WebSocketRoute("/echo", echo),
        WebSocketRoute("/closed", closed),
    ]
)
