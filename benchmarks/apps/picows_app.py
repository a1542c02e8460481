"""An echo of WebSockets on picows, in both of its forms: `async for`, as with `websockets`, and callbacks without a task."""

import sys

import uvloop
from picows import WSListener, WSMsgType, ws_create_server
from picows.websockets.asyncio.server import serve


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


class Echo(WSListener):
    def on_ws_frame(self, transport, frame):
        if frame.msg_type == WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, frame.get_payload_as_memoryview())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


async def main(form, port):
    if form == "callbacks":
        server = await ws_create_server(lambda _: Echo(), "127.0.0.1", port, backlog=4096)
    else:
        server = await serve(
            echo, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4096
        )
    await server.serve_forever()


uvloop.run(main(sys.argv[1], int(sys.argv[2])))
