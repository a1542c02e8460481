# refused at start-up: injection.blocks: chat(ws: WebSocket, session: Session) -> None: session blocks its thread while it is used, and an async def runs on the event loop
from kingpost import App, WebSocket

app = App()


class Session:
    pass


class AsyncSession:
    pass


@app.provide(async_type=AsyncSession)
def session() -> Session:
    return Session()


@app.websocket("/chat")
async def chat(ws: WebSocket, session: Session) -> None:
    await ws.send("hello")
