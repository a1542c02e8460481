# refused at start-up: binding.websocket: chat(ws: WebSocket) -> str: str is returned, and nobody would be sent it
from kingpost import App, WebSocket

app = App()


@app.websocket("/chat")
async def chat(ws: WebSocket) -> str:
    return await ws.receive()
