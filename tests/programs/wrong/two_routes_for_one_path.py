# refused at start-up: routing.conflict: routes 'GET /todos' at
from kingpost import App

app = App()


@app.get("/todos")
def every() -> str:
    return ""


@app.get("/todos")
def index() -> str:
    return ""
