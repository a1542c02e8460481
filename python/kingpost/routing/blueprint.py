"""Blueprint: routes that belong together, made apart from any App."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kingpost.routing.converters import Converters
from kingpost.routing.registrar import Registrar
from kingpost.routing.route import RouteGroup, checked_name, checked_prefix

if TYPE_CHECKING:
    from kingpost.routing.around import Middleware


class Blueprint(Registrar, RouteGroup):
    """Routes under one name, one prefix and one version, to be included in an App or in another Blueprint.

    Args:
        name: stands before the names of its routes: `todos.show`.
        prefix: begins with a slash and ends without one, such as `"/todos"`; empty for none.
        version: `"2"` puts `/v2` before the prefix.
        middleware: what runs around its routes, inside of the App's; the first is the outermost.
        converters: path converters for its own routes, by name.

    Example:
        `todos = Blueprint("todos", prefix="/todos")`, then `app.include(todos)`
    """

    def __init__(
        self,
        name: str,
        /,
        *,
        prefix: str = "",
        version: str | None = None,
        middleware: Sequence[Middleware] = (),
        converters: Converters | None = None,
    ) -> None:
        super().__init__()
        self.name = checked_name(name)
        self.version = None if version is None else checked_name(version)
        self.prefix = ("" if self.version is None else f"/v{self.version}") + checked_prefix(prefix)
        self._registry.converters = dict(converters or {})
        for each in middleware:
            self.middleware(each)

    def __repr__(self) -> str:
        return f"Blueprint({self.name!r}, prefix={self.prefix!r})"
