# refused at start-up: routing.name-taken: two routes are called 'index': /todos and /notes
from kingpost import App

app = App()


@app.get("/todos")
def index() -> str:
    return ""


@app.get("/notes", name="index")
def notes() -> str:
    return ""
