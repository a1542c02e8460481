"""The page of the API in development, where nobody asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kingpost.openapi.plugin import OpenAPI
from kingpost.routing.table import Scope, flatten

if TYPE_CHECKING:
    from kingpost.app.application import App

PATH = "/docs"


def install(app: App) -> None:
    """Installs `OpenAPI()`, unless the App has one, or has a route of its own at one of its paths.

    A route whose parameters would match, such as `/{page}`, does not count: nearly every App has one.
    """
    if app.__plugin__("openapi") is not None:
        return
    wanted = {PATH, f"{PATH}/openapi.json", f"{PATH}/openapi.yaml"}
    if wanted.isdisjoint(entry.path for entry in flatten(app.__routes__(), bare_object)):
        app.install(OpenAPI(PATH))


def bare_object(kind: Any, _scope: Scope) -> object:
    """A resource, to be asked for its methods only."""
    made: object = kind.__new__(kind)
    return made
