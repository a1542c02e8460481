"""By which interface an object is called: ASGI 3 or WSGI.

Rule 1: what is known is told by its class, whatever that looks like from outside.
Rule 2: anything else is told by how it can be called: ASGI takes three arguments, WSGI two and is no coroutine function.
Rule 3: where both would do, nobody guesses.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

Interface: TypeAlias = Literal["asgi", "wsgi"]

KNOWN: Final[Mapping[str, Interface]] = {
    "django.core.handlers.asgi.ASGIHandler": "asgi",
    "django.core.handlers.wsgi.WSGIHandler": "wsgi",
    "starlette.applications.Starlette": "asgi",
    "litestar.app.Litestar": "asgi",
    "quart.app.Quart": "asgi",
    "sanic.app.Sanic": "asgi",
    "blacksheep.server.application.Application": "asgi",
    "falcon.asgi.app.App": "asgi",
    "falcon.app.App": "wsgi",
    "flask.app.Flask": "wsgi",
    "bottle.Bottle": "wsgi",
    "pyramid.router.Router": "wsgi",
}
"""Classes by their full name; so nothing is imported to know them. The nearest in the order of inheritance counts."""

WORDS: Final = frozenset({"asgi", "wsgi"})


def interface_of(app: object) -> Interface | None:
    """The interface of an application; None for what is none, or could be either."""
    for name in class_names(type(app)):
        if name in KNOWN:
            return KNOWN[name]
    # A class would be made, not called.
    if isinstance(app, type) or not callable(app):
        return None
    takes_three, takes_two = takes(app, 3), takes(app, 2)
    if is_coroutine_function(app):
        return "asgi" if takes_three else None
    if takes_three == takes_two:
        return None
    return "asgi" if takes_three else "wsgi"


def class_names(kind: object) -> list[str]:
    """The full names of a class and of those that it inherits from, the nearest first; none for what is no class."""
    found: tuple[type[object], ...] = getattr(kind, "__mro__", ())
    return [f"{each.__module__}.{each.__qualname__}" for each in found]


def is_ambiguous(app: object) -> bool:
    """Whether an object can be called by either interface, so that nothing tells what it is.

    What has a default for every parameter is a function that makes an application.
    """
    if isinstance(app, type) or not callable(app) or interface_of(app) is not None:
        return False
    return takes(app, 3) and takes(app, 2) and (takes(app, 12) or not takes(app, 0))


def takes(function: Callable[..., object], count: int) -> bool:
    """Whether a callable can be called with so many positional arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True


def is_coroutine_function(app: Any) -> bool:
    """Whether calling it only makes a coroutine."""
    if inspect.iscoroutinefunction(app):
        return True
    call = getattr(app.__class__, "__call__", None)  # noqa: B004 - the function is looked at, not whether there is one
    return inspect.iscoroutinefunction(call)
