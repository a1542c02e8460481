# refused at start-up: routing.too-late: the App was started, and this would never be served
from kingpost import App
from kingpost.testing import TestClient

app = App()

with TestClient(app):
    pass


@app.get("/")
def home() -> str:
    return ""
