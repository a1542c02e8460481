"""A promise: what is marked with it needs no body, so a client that it refuses need not send one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

MARK: Final = "__before_body__"


def before_body(function: F) -> F:
    """Has middleware, a hook or a provider that takes the Request run before the body of a request is read.

    Whatever names neither the body nor the Request does so without being marked. In what is marked, `request.body`, `text()`, `json()` and
    `form()` raise RuntimeError as long as the body has not come. Middleware that is a `def` cannot be waited for without a thread, and
    gets the body whole.

    Example:
        ```python
        from kingpost import Request, Unauthorized
        from kingpost.http import before_body


        @before_body
        def signed_in(request: Request) -> None:
            if "session" not in request.cookies:
                raise Unauthorized
        ```
    """
    setattr(function, MARK, True)
    return function


def is_before_body(function: object) -> bool:
    """Whether somebody has promised that a function, or an object that is called, needs no body."""
    return getattr(function, MARK, False) is True
