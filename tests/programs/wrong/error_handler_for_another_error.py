# refused by mypy: incompatible type "Callable[[Request, KeyError], str]"
from kingpost import App, NotFound, Request

app = App()


@app.error(NotFound)
def missing(request: Request, error: KeyError) -> str:
    return ""
