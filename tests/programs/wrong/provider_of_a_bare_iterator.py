# refused at start-up: injection.no-type: clock() -> Iterator: nothing says what it provides
from collections.abc import Iterator

from kingpost import App

app = App()


class Clock:
    pass


@app.provide
def clock() -> Iterator:
    yield Clock()
