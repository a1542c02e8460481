"""Falcon on WSGI."""

import os
from pathlib import Path
from typing import Any

import falcon

HTML = "text/html"


class Home:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = HTML
        resp.text = "<h1>Hello</h1>"


class Fail:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        raise LookupError("the page fails")


class Leave:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        raise falcon.HTTPFound("/")


class Cookies:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.set_cookie("one", "1", http_only=True, secure=False)
        resp.set_cookie("two", "a b", secure=False)
        resp.text = "set"


class Seen:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"cookies": req.cookies, "tags": req.get_header("X-Tag")}


class Form:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = req.get_media()


class Upload:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        media: Any = req.get_media()
        resp.media = [[part.secure_filename, len(part.stream.read())] for part in media]


class Size:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.text = str(len(req.bounded_stream.read()))


class Stream:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = "text/plain"
        resp.stream = (f"{number}\n".encode() * 1000 for number in range(5))


class Query:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"x": req.get_param_as_list("x"), "y": req.get_param("y")}


class Item:
    def on_get(self, req: falcon.Request, resp: falcon.Response, number: int) -> None:
        resp.media = {"number": number}


class Text:
    def on_get(self, req: falcon.Request, resp: falcon.Response, text: str) -> None:
        resp.media = {"text": text, "path": req.path}


class Empty:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.status = falcon.HTTP_204


class File:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        path = Path(os.environ["GRID_FILE"])
        resp.content_type = "text/plain"
        resp.set_stream(path.open("rb"), path.stat().st_size)


app = falcon.App()
app.add_route("/", Home())
app.add_route("/fail", Fail())
app.add_route("/redirect", Leave())
app.add_route("/cookie", Cookies())
app.add_route("/seen", Seen())
app.add_route("/form", Form())
app.add_route("/upload", Upload())
app.add_route("/json", Form())
app.add_route("/size", Size())
app.add_route("/stream", Stream())
app.add_route("/query", Query())
app.add_route("/item/{number:int}", Item())
app.add_route("/text/{text}", Text())
app.add_route("/empty", Empty())
app.add_route("/file", File())
