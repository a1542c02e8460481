# refused by mypy: Unexpected keyword argument "subprotocols" for "get"
from kingpost import App

app = App()


@app.get("/chat", subprotocols=["chat.v1"])
async def chat() -> str:
    return "hello"
