"""Ours with WebSockets: what the other rows run has neither them nor channels."""

from kingpost import App, WebSocket
from kingpost.channels import Channels

app = App(plugins=[Channels()])


@app.get("/")
async def home() -> str:
    return "Hello, world!"


@app.get("/json")
async def message() -> dict[str, str]:
    return {"message": "Hello, world!"}


@app.websocket("/echo")
async def echo(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message)


@app.websocket("/broadcast")
async def broadcast(ws: WebSocket, channels: Channels) -> None:
    async with channels.join("all", ws):
        async for message in ws:
            await channels.publish("all", message)
