"""Quart: Flask's pages with `await`."""

import os
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, Response, redirect, request, send_file, url_for, websocket

app = Quart(__name__)


@app.route("/")
async def home() -> str:
    return "<h1>Hello, World!</h1>"


@app.route("/fail")
async def fail() -> str:
    raise LookupError("the page fails")


@app.route("/redirect")
async def leave() -> Any:
    return redirect(url_for("home"))


@app.route("/cookie")
async def cookie() -> Any:
    answer = Response("set", mimetype="text/plain")
    answer.set_cookie("one", "1", httponly=True)
    answer.set_cookie("two", "a b")
    return answer


@app.route("/seen")
async def seen() -> Any:
    return {"cookies": dict(request.cookies), "tags": request.headers.getlist("X-Tag")}


@app.route("/form", methods=["POST"])
async def form() -> Any:
    sent = await request.form
    return {"name": sent["name"], "all": sent.getlist("n")}


@app.route("/upload", methods=["POST"])
async def upload() -> Any:
    file = (await request.files)["file"]
    return {"name": file.filename, "size": len(file.read())}


@app.route("/json", methods=["POST"])
async def json() -> Any:
    return await request.get_json()


@app.route("/size", methods=["POST"])
async def size() -> str:
    return str(len(await request.get_data()))


@app.route("/stream")
async def stream() -> Any:
    async def pieces() -> AsyncIterator[str]:
        for number in range(5):
            yield f"{number}\n" * 1000

    return Response(pieces(), mimetype="text/plain")


@app.route("/query")
async def query() -> Any:
    return {"x": request.args.getlist("x"), "y": request.args.get("y")}


@app.route("/item/<int:number>")
async def item(number: int) -> Any:
    return {"number": number}


@app.route("/text/<text>")
async def text(text: str) -> Any:
    return {"text": text, "path": request.path}


@app.route("/empty")
async def empty() -> Any:
    return "", 204


@app.route("/file")
async def file() -> Any:
    return await send_file(os.environ["GRID_FILE"], mimetype="text/plain", conditional=True)


@app.websocket("/echo")
async def echo() -> None:
    while (message := await websocket.receive()) != "bye":
        await websocket.send(message.upper())
    await websocket.close(4000, "bye")


@app.websocket("/closed")
async def closed() -> Any:
    return "not for you", 403
