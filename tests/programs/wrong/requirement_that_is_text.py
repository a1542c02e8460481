# refused by mypy: Argument "requires" to "get"
from kingpost import App

app = App()


@app.get("/", requires="edit")
def home() -> str:
    return ""
