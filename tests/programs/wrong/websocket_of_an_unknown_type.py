# refused at start-up: binding.websocket-type: chat(ws: WebSocket[Engine, str]) -> None: ws is WebSocket[Engine, str], and that cannot be said in messages
from kingpost import App, WebSocket

app = App()


class Engine:
    pass


@app.websocket("/chat")
async def chat(ws: WebSocket[Engine, str]) -> None:
    await ws.send("hello")
