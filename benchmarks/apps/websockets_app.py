"""The `websockets` library alone: what one client says, all are told."""

import asyncio
import sys

import uvloop
from websockets.asyncio.server import broadcast, serve

CLIENTS = set()


async def tell_all(websocket):
    CLIENTS.add(websocket)
    try:
        async for message in websocket:
            broadcast(CLIENTS, message)
    finally:
        CLIENTS.remove(websocket)


async def main(port):
    async with serve(
        tell_all, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4096
    ):
        await asyncio.get_running_loop().create_future()


uvloop.run(main(int(sys.argv[1])))
