"""Falcon on ASGI."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import falcon
import falcon.asgi

CONTENT = Path(os.environ["GRID_FILE"]).read_bytes()
Asked = falcon.asgi.Request
Answer = falcon.asgi.Response


class Home:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        resp.content_type = "text/html"
        resp.text = "<h1>Hello</h1>"


class Fail:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        raise LookupError("the page fails")


class Leave:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        raise falcon.HTTPFound("/")


class Cookies:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        resp.set_cookie("one", "1", http_only=True, secure=False)
        resp.set_cookie("two", "a b", secure=False)
        resp.text = "set"


class Seen:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        resp.media = {"cookies": req.cookies, "tags": req.get_header("X-Tag")}


class Form:
    async def on_post(self, req: Asked, resp: Answer) -> None:
        resp.media = await req.get_media()


class Upload:
    async def on_post(self, req: Asked, resp: Answer) -> None:
        media: Any = await req.get_media()
        resp.media = [[part.secure_filename, len(await part.stream.read())] async for part in media]


class Size:
    async def on_post(self, req: Asked, resp: Answer) -> None:
        resp.text = str(len(await req.stream.read()))


class Stream:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(5):
                yield f"{number}\n".encode() * 1000

        resp.content_type = "text/plain"
        resp.stream = pieces()


class Query:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        resp.media = {"x": req.get_param_as_list("x"), "y": req.get_param("y")}


class Item:
    async def on_get(self, req: Asked, resp: Answer, number: int) -> None:
        resp.media = {"number": number}


class Text:
    async def on_get(self, req: Asked, resp: Answer, text: str) -> None:
        resp.media = {"text": text, "path": req.path}


class Empty:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        resp.status = falcon.HTTP_204


class File:
    async def on_get(self, req: Asked, resp: Answer) -> None:
        resp.content_type = "text/plain"
        resp.data = CONTENT


class Echo:
    async def on_websocket(self, req: Asked, ws: falcon.asgi.WebSocket) -> None:
        await ws.accept()
        while (message := await ws.receive_text()) != "bye":
            await ws.send_text(message.upper())
        await ws.close(4000)


class Closed:
    async def on_websocket(self, req: Asked, ws: falcon.asgi.WebSocket) -> None:
        raise falcon.HTTPForbidden


app = falcon.asgi.App()
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
app.add_route("/echo", Echo())
app.add_route("/closed", Closed())
