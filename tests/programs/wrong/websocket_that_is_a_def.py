# refused at start-up: binding.websocket: chat(ws: WebSocket[str, str]) -> None: a WebSocket is talked to on the event loop, for as long as it lasts
from kingpost import App, WebSocket

app = App()


@app.websocket("/chat")
def chat(ws: WebSocket[str, str]) -> None:
    return None
