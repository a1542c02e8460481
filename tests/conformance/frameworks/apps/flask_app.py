"""Flask: the quickstart's pages."""

import os
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, redirect, request, send_file, url_for

app = Flask(__name__)


@app.route("/")
def home() -> str:
    return "<h1>Hello, World!</h1>"


@app.route("/fail")
def fail() -> str:
    raise LookupError("the page fails")


@app.route("/redirect")
def leave() -> Any:
    return redirect(url_for("home"))


@app.route("/cookie")
def cookie() -> Any:
    answer = Response("set", mimetype="text/plain")
    answer.set_cookie("one", "1", httponly=True)
    answer.set_cookie("two", "a b")
    return answer


@app.route("/seen")
def seen() -> Any:
    return {"cookies": dict(request.cookies), "tags": request.headers.get("X-Tag")}


@app.route("/form", methods=["POST"])
def form() -> Any:
    return {"name": request.form["name"], "all": request.form.getlist("n")}


@app.route("/upload", methods=["POST"])
def upload() -> Any:
    file = request.files["file"]
    return {"name": file.filename, "size": len(file.read())}


@app.route("/json", methods=["POST"])
def json() -> Any:
    return request.get_json()


@app.route("/size", methods=["POST"])
def size() -> str:
    return str(len(request.get_data()))


@app.route("/stream")
def stream() -> Any:
    def pieces() -> Iterator[str]:
        for number in range(5):
            yield f"{number}\n" * 1000

    return Response(pieces(), mimetype="text/plain")


@app.route("/query")
def query() -> Any:
    return {"x": request.args.getlist("x"), "y": request.args.get("y")}


@app.route("/item/<int:number>")
def item(number: int) -> Any:
    return {"number": number}


@app.route("/text/<text>")
def text(text: str) -> Any:
    return {"text": text, "path": request.path}


@app.route("/empty")
def empty() -> Any:
    return "", 204


@app.route("/file")
def file() -> Any:
    return send_file(os.environ["GRID_FILE"], mimetype="text/plain", conditional=True)
