# refused by mypy: Argument 1 to "send" of "WebSocket" has incompatible type "bytes"; expected "str"
from kingpost import App, WebSocket

app = App()


@app.websocket("/echo")
async def echo(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message.encode())
