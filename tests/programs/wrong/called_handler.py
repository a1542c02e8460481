# refused at start-up: routing.not-a-handler: a handler is a function, not 'Hello'
from typing import Any

from kingpost import App, Route


def home() -> Any:
    return "Hello"


app = App(routes=[Route("/", home())])
