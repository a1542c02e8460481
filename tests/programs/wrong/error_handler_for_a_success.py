# refused at start-up: routing.bad-error-kind: an error handler is for an Exception class or a status from 400 to 599, not 200
from kingpost import App, HTTPError, Request

app = App()


@app.error(200)
def fine(request: Request, error: HTTPError) -> str:
    return ""
