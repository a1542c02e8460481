# refused by mypy: "App" has no attribute "websocket"
from kingpost import App

app = App()


@app.websocket("/chat")
async def chat() -> None:
    return None
