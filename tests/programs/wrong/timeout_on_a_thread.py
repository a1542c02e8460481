# refused at start-up: routing.timeout-on-def: home: a running thread cannot be stopped
from kingpost import App

app = App()


@app.get("/", timeout=5)
def home() -> str:
    return ""
