# refused at start-up: routing.bad-option: the route option formats='csv' is no Format, and no codec such as Csv()
from kingpost import App

app = App()


@app.get("/places", formats=["csv"])  # type: ignore[list-item]
def places() -> list[str]:
    return []
