# refused at start-up: routing.bad-method: TRACE is never answered by a route
from kingpost import App

app = App()


@app.route("/", methods=["TRACE"])
def home() -> str:
    return ""
