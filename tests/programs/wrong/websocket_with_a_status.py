# refused by mypy: Unexpected keyword argument "status" for "websocket"
from kingpost import App, WebSocket

app = App()


@app.websocket("/chat", status=201)
async def chat(ws: WebSocket) -> None:
    await ws.send("hello")
