# refused at start-up: injection.inline-async: clock() -> Clock: an async def runs on the loop as it is
from kingpost import App

app = App()


class Clock:
    pass


@app.provide(inline=True)
async def clock() -> Clock:
    return Clock()
