"""A bare ASGI callable: what a server costs without any framework."""

import asyncio

from schema import encode
from ticker import Ticker

TICKER = Ticker()
TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
JSON = [(b"content-type", b"application/json")]


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await echo(receive, send)
        return
    path = scope["path"]
    headers = TEXT
    body = b"Hello, world!"
    if path == "/":
        pass
    elif path == "/suspend":
        await asyncio.sleep(0)
    elif path == "/json":
        headers = JSON
        body = encode({"message": "Hello, world!"})
    elif path == "/lag":
        body = TICKER.report(asyncio.get_running_loop()).encode()
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})
