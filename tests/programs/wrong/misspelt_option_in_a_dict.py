# refused at start-up: routing.unknown-option: no route option is called 'sumary'
from typing import Any

from kingpost import App

app = App()
options: dict[str, Any] = {"sumary": "Home"}


@app.get("/", **options)
def home() -> str:
    return ""
