# refused by mypy: Unexpected keyword argument "cache" for "get"
from kingpost import App

app = App()


@app.get("/", cache=60)
def home() -> str:
    return ""
