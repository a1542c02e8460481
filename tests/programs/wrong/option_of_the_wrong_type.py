# refused by mypy: Argument "status" to "get" of "Registrar" has incompatible type "str"; expected "int"
from kingpost import App

app = App()


@app.get("/", status="created")
def home() -> str:
    return ""
