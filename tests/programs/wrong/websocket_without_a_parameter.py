# refused at start-up: binding.websocket: chat(room: str) -> None: no parameter is the WebSocket
from kingpost import App

app = App()


@app.websocket("/rooms/{room}")
async def chat(room: str) -> None:
    return None
