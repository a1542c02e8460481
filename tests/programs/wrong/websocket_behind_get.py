# refused at start-up: binding.websocket: chat(ws: WebSocket) -> None: ws is a WebSocket, and nobody asks for one here
from kingpost import App, WebSocket

app = App()


@app.get("/chat")
async def chat(ws: WebSocket) -> None:
    await ws.send("hello")
