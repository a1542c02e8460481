# refused by mypy: Unsupported operand types for + ("str" and "int")
from kingpost import App, Request

app = App()


@app.get("/")
def home(request: Request) -> str:
    return str(request.query["page"] + 1)
