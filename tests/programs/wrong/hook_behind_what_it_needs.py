# refused at start-up: injection.finished: note(session: Session) -> None: session has finished what it made when the response is there
from collections.abc import Iterator

from kingpost import App

app = App()


class Session:
    pass


@app.provide
def session() -> Iterator[Session]:
    yield Session()


@app.after_request
def note(session: Session) -> None:
    pass


@app.get("/")
def home() -> str:
    return "here"
