"""Sanic, as an ASGI application."""

import os
from typing import Any

from sanic import Request, Sanic, Websocket
from sanic import response as answers

app = Sanic("grid")


@app.get("/")
async def home(request: Request) -> Any:
    return answers.html("<h1>Hello, world.</h1>")


@app.get("/fail")
async def fail(request: Request) -> Any:
    raise LookupError("the page fails")


@app.get("/redirect")
async def leave(request: Request) -> Any:
    return answers.redirect("/")


@app.get("/cookie")
async def cookie(request: Request) -> Any:
    answer = answers.text("set")
    answer.add_cookie("one", "1", httponly=True)
    return answer


@app.get("/seen")
async def seen(request: Request) -> Any:
    tags = request.headers.getall("x-tag", [])
    return answers.json({"one": request.cookies.get("one"), "tags": tags})


@app.post("/form")
async def form(request: Request) -> Any:
    sent: Any = request.form
    return answers.json({"name": sent.get("name"), "all": sent.getlist("n")})


@app.post("/upload")
async def upload(request: Request) -> Any:
    files: Any = request.files
    file = files.get("file")
    return answers.json({"name": file.name, "size": len(file.body)})


@app.post("/json")
async def json(request: Request) -> Any:
    return answers.json(request.json)


@app.post("/size")
async def size(request: Request) -> Any:
    return answers.text(str(len(request.body)))


@app.get("/stream")
async def stream(request: Request) -> None:
    answer = await request.respond(content_type="text/plain")
    for number in range(5):
        await answer.send(f"{number}\n" * 1000)


@app.get("/query")
async def query(request: Request) -> Any:
    return answers.json({"x": request.args.getlist("x"), "y": request.args.get("y")})


@app.get("/item/<number:int>")
async def item(request: Request, number: int) -> Any:
    return answers.json({"number": number})


@app.get("/text/<text:str>")
async def text(request: Request, text: str) -> Any:
    return answers.json({"text": text, "path": request.path})


@app.get("/empty")
async def empty(request: Request) -> Any:
    return answers.empty()


@app.get("/file")
async def file(request: Request) -> Any:
    return await answers.file(os.environ["GRID_FILE"], mime_type="text/plain")


@app.websocket("/echo")
async def echo(request: Request, ws: Websocket) -> None:
    while (message := await ws.recv()) != "bye":
        await ws.send(str(message).upper())
