# refused at start-up: routing.conflict: WEBSOCKET
from kingpost import App, WebSocket

app = App()


@app.websocket("/rooms/{room}")
async def chat(ws: WebSocket, room: str) -> None:
    await ws.send(room)


@app.websocket("/rooms/{name}")
async def talk(ws: WebSocket, name: str) -> None:
    await ws.send(name)
