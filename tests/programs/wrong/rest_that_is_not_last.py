# refused at start-up: routing.bad-pattern: '{rest:path}' takes all that follows, so it must stand last
from kingpost import App

app = App()


@app.get("/{rest:path}/edit")
def home(rest: str) -> str:
    return ""
