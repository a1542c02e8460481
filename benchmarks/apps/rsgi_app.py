"""A bare RSGI callable for Granian."""

import asyncio

from schema import encode

TEXT = [("content-type", "text/plain; charset=utf-8")]
JSON = [("content-type", "application/json")]


CLIENTS = set()


async def app(scope, proto):
    path = scope.path
    if scope.proto == "ws":
        await converse(await proto.accept(), path)
        return
    if path == "/":
        proto.response_str(200, TEXT, "Hello, world!")
    elif path == "/json":
        proto.response_bytes(200, JSON, encode({"message": "Hello, world!"}))
    else:
        await asyncio.sleep(0)
        proto.response_str(200, TEXT, "Hello, world!")


async def converse(client, path):
    """An echo, or what one says to all."""
    CLIENTS.add(client)
    try:
        while (message := await client.receive()).kind:
            if path == "/echo":
                await client.send_str(message.data)
            else:
                await asyncio.gather(*[one.send_str(message.data) for one in CLIENTS])
    finally:
        CLIENTS.remove(client)
