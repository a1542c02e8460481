# refused at start-up: binding.hook: both() -> Iterator[None]: a hook is called once and yields nothing
from collections.abc import Iterator

from kingpost import App

app = App()


@app.before_request
def both() -> Iterator[None]:
    yield


@app.get("/")
def home() -> str:
    return "here"
