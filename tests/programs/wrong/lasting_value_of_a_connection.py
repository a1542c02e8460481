# refused at start-up: injection.scope: index(cursor: Cursor) -> Index: it is made once, at start, and cursor is there during a connection only (made by cursor())
from kingpost import App

app = App()


class Cursor:
    pass


class Index:
    pass


@app.provide(scope="connection")
def cursor() -> Cursor:
    return Cursor()


@app.provide(scope="app")
def index(cursor: Cursor) -> Index:
    return Index()


@app.get("/")
def home(index: Index) -> str:
    return "here"
