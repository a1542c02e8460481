# refused at start-up: injection.scope: cursor(request: Request) -> Cursor: it is made once for a connection, and request is there during a request only (the request)
from kingpost import App, Request

app = App()


class Cursor:
    pass


@app.provide(scope="connection")
def cursor(request: Request) -> Cursor:
    return Cursor()


@app.get("/")
def home(cursor: Cursor) -> str:
    return "here"
