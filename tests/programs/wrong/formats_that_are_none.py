# refused at start-up: routing.bad-option: must name one, at least
from kingpost import App

app = App()


@app.get("/places", formats=[])
def places() -> list[str]:
    return []
