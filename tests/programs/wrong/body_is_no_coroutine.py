# refused by mypy: Incompatible types in "await" (actual type "str"
from kingpost import App, Request

app = App()


@app.post("/")
async def save(request: Request) -> str:
    return await request.text()
