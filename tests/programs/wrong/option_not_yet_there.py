# refused at start-up: routing.option-not-yet: the route option 'requires' comes with a later release
from typing import Any

from kingpost import App

app = App()
options: dict[str, Any] = {"requires": None}


@app.get("/", **options)
def home() -> str:
    return ""
