# refused at start-up: binding.websocket-type: str is a text, and so is the JSON of Said: nobody could tell them apart
from kingpost import App, Struct, WebSocket

app = App()


class Said(Struct):
    text: str


@app.websocket("/chat")
async def chat(ws: WebSocket[str | Said]) -> None:
    await ws.send("hello")
