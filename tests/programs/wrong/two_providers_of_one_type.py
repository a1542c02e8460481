# refused at start-up: injection.two-providers: clock and other_clock both provide Clock
from kingpost import App

app = App()


class Clock:
    pass


@app.provide
def clock() -> Clock:
    return Clock()


@app.provide
def other_clock() -> Clock:
    return Clock()
