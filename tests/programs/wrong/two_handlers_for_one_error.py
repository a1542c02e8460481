# refused at start-up: routing.error-twice: two handlers answer for NotFound
from kingpost import App, NotFound, Request

app = App()


@app.error(NotFound)
def missing(request: Request, error: NotFound) -> str:
    return ""


@app.error(NotFound)
def absent(request: Request, error: NotFound) -> str:
    return ""
