# refused by mypy: has incompatible type "type[ValueError]"; expected "type[HTTPError]"
from kingpost import App

app = App()


@app.get("/", errors=[ValueError])
def home() -> str:
    return ""
