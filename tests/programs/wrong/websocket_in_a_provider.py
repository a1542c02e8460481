# refused at start-up: binding.websocket: visitor(ws: WebSocket) -> Visitor: ws is the WebSocket, which the handler has: chat
from kingpost import App, WebSocket

app = App()


class Visitor:
    def __init__(self, name: str) -> None:
        self.name = name


@app.provide
async def visitor(ws: WebSocket) -> Visitor:
    return Visitor(await ws.receive())


@app.websocket("/chat")
async def chat(ws: WebSocket, visitor: Visitor) -> None:
    await ws.send(visitor.name)
