"""The 404 and 405 page of development: which routes are near the address that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kingpost.app.pages.error import footer, for_developers
from kingpost.app.pages.style import STYLE, TRACEBACK_STYLE
from kingpost.errors import HTTPError, MethodNotAllowed
from kingpost.html import Html, page

_NEAR = 8
_ALL = 300
_COMPARED_CHARACTERS = 200


class RouteLine(NamedTuple):
    """A route as the page lists it.

    Attributes:
        methods: Such as ("GET", "HEAD").
        path: The pattern, such as "/todos/{id:int}".
        name: The route's name, such as "todos.show".
        place: File and line of its handler.
    """

    methods: Sequence[str]
    path: str
    name: str
    place: str


def not_found_page(
    error: HTTPError, *, method: str, path: str, routes: Sequence[RouteLine], request_id: str = ""
) -> Html:
    """The page for an address that no route answers, or not with this method.

    Args:
        error: A NotFound or a MethodNotAllowed.
        method: What was asked.
        path: The path that was asked for, decoded.
        routes: Every route of the app.
        request_id: Shown at the foot.
    """
    near = nearest(path, routes)
    rest = [route for route in routes if route not in near][:_ALL]
    if isinstance(error, MethodNotAllowed):
        sentence = Html.format(
            "The path <code>{}</code> is there, and no route takes <code>{}</code> on it.",
            path,
            method,
        )
    else:
        sentence = Html.format("No route answers <code>{} {}</code>.", method, path)
    body = Html.format(
        '<main class="wide">\n<p class="status">{status}</p>\n<h1>{title}</h1>\n<p class="lead">{sentence}</p>\n{near}{rest}{code}{footer}</main>',
        status=error.status,
        title=error.title,
        sentence=sentence,
        near=_table("Routes nearby", near)
        if near
        else Html("<p>The app has no routes yet.</p>\n")
        if not routes
        else Html(),
        rest=_table("All other routes" if near else "All routes", rest) if rest else Html(),
        code=for_developers(error),
        footer=footer(request_id),
    )
    return page(f"{error.status} {error.title}", body, style=STYLE + TRACEBACK_STYLE)


def nearest(path: str, routes: Sequence[RouteLine]) -> list[RouteLine]:
    """At most eight routes whose paths resemble `path`, the most alike first."""
    asked = path[:_COMPARED_CHARACTERS].rstrip("/").lower().split("/")
    scored = (
        (_likeness(asked, route.path[:_COMPARED_CHARACTERS].rstrip("/").lower().split("/")), route)
        for route in routes
    )
    good = sorted((pair for pair in scored if pair[0] > 0.45), key=lambda pair: -pair[0])
    return [route for _, route in good[:_NEAR]]


def _likeness(asked: list[str], pattern: list[str]) -> float:
    """0 to 1: how much of the longer path agrees, segment by segment; a parameter agrees with anything, a little less than the same word."""
    import difflib

    longest = max(len(asked), len(pattern), 2) - 1
    total = 0.0
    for one, other in zip(asked[1:], pattern[1:], strict=False):
        if one == other:
            total += 1
        elif other.startswith("{"):
            total += 0.7
        else:
            ratio = difflib.SequenceMatcher(None, one, other).ratio()
            total += ratio if ratio > 0.6 else 0
    return total / longest


def _table(title: str, routes: Sequence[RouteLine]) -> Html:
    rows = Html("\n").join(
        Html.format(
            '<tr><td class="methods">{}</td><td><code>{}</code></td><td>{}</td><td class="soft">{}</td></tr>',
            " ".join(route.methods),
            route.path,
            route.name,
            route.place,
        )
        for route in routes
    )
    return Html.format(
        '<h2>{}</h2>\n<div class="card"><table><thead><tr><th>Method</th><th>Path</th><th>Name</th><th>Handler</th></tr></thead>\n'
        "<tbody>\n{}\n</tbody></table></div>\n",
        title,
        rows,
    )
