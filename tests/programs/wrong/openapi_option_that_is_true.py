# refused at start-up: routing.bad-option: the route option openapi=True is False to hide the route, or a dict
from typing import Any

from kingpost import App

app = App()
options: dict[str, Any] = {"openapi": True}


@app.get("/", **options)
def home() -> str:
    return ""
