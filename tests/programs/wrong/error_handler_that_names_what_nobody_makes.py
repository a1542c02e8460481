# refused at start-up: binding.unknown-type: missing(request: Request, error: HTTPError, clock: Clock) -> str: nothing says where clock: Clock comes from
from kingpost import App, HTTPError, Request

app = App()


class Clock:
    pass


@app.error(404)
def missing(request: Request, error: HTTPError, clock: Clock) -> str:
    return ""
