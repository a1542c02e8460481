# refused at start-up: routing.conflict: collide, as both match the same paths
from kingpost import App

app = App()


@app.get("/todos/{id}")
def by_id(id: int) -> str:
    return ""


@app.get("/todos/{slug}")
def by_slug(slug: str) -> str:
    return ""
