"""A bare RSGI callable for Granian."""

import asyncio

from schema import encode

TEXT = [("content-type", "text/plain; charset=utf-8")]
JSON = [("content-type", "application/json")]


async def app(scope, proto):
    path = scope.path
    if path == "/":
        proto.response_str(200, TEXT, "Hello, world!")
    elif path == "/json":
        proto.response_bytes(200, JSON, encode({"message": "Hello, world!"}))
    else:
        await asyncio.sleep(0)
        proto.response_str(200, TEXT, "Hello, world!")
