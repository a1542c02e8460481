# refused at start-up: routing.bad-option: the route option timeout=0 is a number of seconds above 0
from kingpost import App

app = App()


@app.get("/", timeout=0)
async def home() -> str:
    return ""
