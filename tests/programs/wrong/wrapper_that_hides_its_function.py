# refused at start-up: binding.star-parameter: put @functools.wraps(function) above it
from collections.abc import Callable
from typing import Any

from kingpost import App

app = App()


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any, **named: Any) -> Any:
        return function(*args, **named)

    return inner


@app.get("/todos/{id}")
@logged
def show(id: int) -> str:
    return f"todo {id}"
