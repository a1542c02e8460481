# refused at start-up: routing.bad-option: the route option timeout= is not for a WebSocket, which has no body and no answer
from typing import Any

from kingpost import App, WebSocket

app = App()
options: dict[str, Any] = {"timeout": 5}


@app.websocket("/chat", **options)
async def chat(ws: WebSocket) -> None:
    await ws.send("hello")
