# refused at start-up: binding.error-handler: missing(request: Request, error: HTTPError, page: int = 1) -> str: page would be read from the request a second time (query page: an integer, 1 if not given)
from kingpost import App, HTTPError, Request

app = App()


@app.error(404)
def missing(request: Request, error: HTTPError, page: int = 1) -> str:
    return f"nothing on page {page}"
