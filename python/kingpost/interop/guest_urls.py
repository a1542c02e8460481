"""The URLs of applications of others, where they can be asked: Django, Flask and Quart, the Starlette family.

Nothing of theirs is imported: an application that is there has its framework imported already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from kingpost.interop.interface import class_names


class GuestUrl(NamedTuple):
    """One URL of an application.

    Attributes:
        methods: empty where the application does not tell them apart by their routes.
        path: the pattern, as the application's framework writes it.
        name: by which it calls it; empty for none.
    """

    methods: Sequence[str]
    path: str
    name: str


def urls_of(app: object) -> list[GuestUrl] | None:
    """Its URLs, in its own order; None where it cannot be asked."""
    known = (ASKED[name] for name in class_names(type(app)) if name in ASKED)
    ask = next(known, None)
    return None if ask is None else list(ask(app))


def of_flask(app: Any) -> Iterator[GuestUrl]:
    """The rules of a Flask or Quart."""
    for rule in app.url_map.iter_rules():
        yield GuestUrl(sorted(rule.methods or ()), str(rule.rule), str(rule.endpoint))


def of_starlette(app: Any) -> Iterator[GuestUrl]:
    """The routes of a Starlette or FastAPI, and of what is mounted in it."""
    yield from of_routes(app.routes, "")


def of_routes(routes: Iterable[Any], prefix: str) -> Iterator[GuestUrl]:
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        inner = getattr(route, "routes", None)
        if inner:
            yield from of_routes(inner, path)
        else:
            methods: Iterable[str] = getattr(route, "methods", None) or ()
            yield GuestUrl(sorted(methods), path or "/", str(getattr(route, "name", None) or ""))


def of_django(_: Any) -> Iterator[GuestUrl]:
    """The patterns of the project whose settings are in force."""
    resolvers: Any = sys.modules["django.urls"]
    yield from of_patterns(resolvers.get_resolver().url_patterns, "/", "")


def of_patterns(patterns: Iterable[Any], prefix: str, names: str) -> Iterator[GuestUrl]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        inner = getattr(pattern, "url_patterns", None)
        if inner is not None:
            space = getattr(pattern, "namespace", None)
            yield from of_patterns(inner, path, f"{names}{space}:" if space else names)
        else:
            yield GuestUrl((), path, f"{names}{pattern.name}" if pattern.name else "")


ASKED: Final[Mapping[str, Callable[[Any], Iterator[GuestUrl]]]] = {
    "flask.app.Flask": of_flask,
    "quart.app.Quart": of_flask,
    "starlette.applications.Starlette": of_starlette,
    "django.core.handlers.asgi.ASGIHandler": of_django,
    "django.core.handlers.wsgi.WSGIHandler": of_django,
}
