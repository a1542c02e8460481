# refused at start-up: routing.bad-option: the route option status=99 must be from 200 to 599
from kingpost import App

app = App()


@app.get("/", status=99)
def home() -> str:
    return ""
