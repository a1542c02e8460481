"""Bottle: the pages of its tutorial."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bottle

app = bottle.Bottle()
request, response = bottle.request, bottle.response


@app.route("/")
def home() -> str:
    return "<h1>Hello World!</h1>"


@app.route("/fail")
def fail() -> str:
    raise LookupError("the page fails")


@app.route("/redirect")
def leave() -> None:
    bottle.redirect("/")


@app.route("/cookie")
def cookie() -> str:
    response.set_cookie("one", "1", httponly=True)
    response.set_cookie("two", "ab")
    return "set"


@app.route("/seen")
def seen() -> Any:
    return {"cookies": dict(request.cookies), "tags": request.get_header("X-Tag")}


@app.post("/form")
def form() -> Any:
    return {"name": request.forms.get("name"), "all": request.forms.getall("n")}


@app.post("/upload")
def upload() -> Any:
    file = request.files.get("file")
    return {"name": file.filename, "size": len(file.file.read())}


@app.post("/json")
def json() -> Any:
    return request.json


@app.post("/size")
def size() -> str:
    return str(len(request.body.read()))


@app.route("/stream")
def stream() -> Iterator[str]:
    response.content_type = "text/plain"
    for number in range(5):
        yield f"{number}\n" * 1000


@app.route("/query")
def query() -> Any:
    return {"x": request.query.getall("x"), "y": request.query.getunicode("y")}


@app.route("/item/<number:int>")
def item(number: int) -> Any:
    return {"number": number}


@app.route("/text/<text>")
def text(text: str) -> Any:
    return {"text": text, "path": request.path}


@app.route("/empty")
def empty() -> Any:
    response.status = 204


@app.route("/file")
def file() -> Any:
    path = Path(os.environ["GRID_FILE"])
    return bottle.static_file(path.name, root=str(path.parent), mimetype="text/plain")
