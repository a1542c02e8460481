# refused at start-up: routing.conflict:
from kingpost import App

app = App()


@app.get("/todos")
def every() -> str:
    return ""


@app.get("/todos")
def index() -> str:
    return ""
