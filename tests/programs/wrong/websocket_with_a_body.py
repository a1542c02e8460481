# refused at start-up: binding.body-on-get: chat(ws: WebSocket, said: Said) -> None: said is read from the body, and who asks for a WebSocket sends none
from kingpost import App, Struct, WebSocket

app = App()


class Said(Struct):
    text: str


@app.websocket("/chat")
async def chat(ws: WebSocket, said: Said) -> None:
    await ws.send(said.text)
