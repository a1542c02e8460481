# refused at start-up: routing.conflict: /places.csv
from kingpost import App
from kingpost.http.media import Csv, Json

app = App()


@app.get("/places", formats=[Json(), Csv()])
def places() -> list[dict[str, str]]:
    return []


@app.get("/places.csv")
def other() -> str:
    return ""
