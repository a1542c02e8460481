# refused by mypy: Unexpected keyword argument "stauts" for "get"
from kingpost import App

app = App()


@app.get("/", stauts=201)
def home() -> str:
    return ""
