# refused at start-up: binding.websocket: chat(ws: WebSocket) -> AsyncIterator[str]: a WebSocket's handler yields nothing
from collections.abc import AsyncIterator

from kingpost import App, WebSocket

app = App()


@app.websocket("/chat")
async def chat(ws: WebSocket) -> AsyncIterator[str]:
    async for message in ws:
        yield message
