"""The page of the API in development, where nobody asked for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kingpost.openapi.plugin import OpenAPI
from kingpost.routing.pattern import parse_pattern
from kingpost.routing.table import Scope, flatten

if TYPE_CHECKING:
    from kingpost.app.application import App

PATH = "/docs"


def install(app: App) -> None:
    """Installs `OpenAPI()`, unless the App has one, or has a route that answers at one of its paths: what the App does itself it does there as well."""
    if app.__plugin__("openapi") is not None:
        return
    wanted = (PATH, f"{PATH}/openapi.json", f"{PATH}/openapi.yaml")
    taken = [pattern_of(entry.path) for entry in flatten(app.__routes__(), bare_object)]
    if not any(pattern.fullmatch(path) for pattern in taken for path in wanted):
        app.install(OpenAPI(PATH))


def bare_object(kind: Any, _scope: Scope) -> object:
    """A resource, to be asked for its methods only."""
    made: object = kind.__new__(kind)
    return made


def pattern_of(path: str) -> re.Pattern[str]:
    """What a path matches, whatever its converters take."""
    pieces = parse_pattern(path or "/").pieces
    return re.compile(
        "".join(
            re.escape(piece)
            if isinstance(piece, str)
            else ".+"
            if piece.converter == "path"
            else "[^/]+"
            for piece in pieces
        )
    )
