# refused at start-up: injection.bad-scope: scope='process' is none
from kingpost import App

app = App()


class Clock:
    pass


@app.provide(scope="process")
def clock() -> Clock:
    return Clock()
