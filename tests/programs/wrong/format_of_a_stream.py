# refused at start-up: routing.bad-option: the route option formats= is for what is returned, and places yields
from collections.abc import Iterator

from kingpost import App
from kingpost.http.media import Csv, Json

app = App()


@app.get("/places", formats=[Json(), Csv()])
def places() -> Iterator[str]:
    yield "Rome"
