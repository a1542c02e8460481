# refused at start-up: routing.bad-predicate: the predicate is_new is async, and is asked before anything may wait
from typing import Any

from kingpost import App, Request

app = App()


async def is_new(request: Request) -> bool:
    return True


options: dict[str, Any] = {"when": is_new}


@app.get("/", **options)
def home() -> str:
    return ""
