# refused at start-up: routing.bad-error-kind: say which, in parentheses: @app.error(404)
from typing import Any

from kingpost import App

app = App()
register: Any = app.error


@register
def missing(request: Any, error: Any) -> str:
    return "There is nothing here."
