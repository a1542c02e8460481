# refused at start-up: injection.no-type: clock(): nothing says what it provides
from kingpost import App

app = App()


class Clock:
    pass


@app.provide
def clock():
    return Clock()
