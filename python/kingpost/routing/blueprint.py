"""Blueprint: routes that belong together, made apart from any App."""

from __future__ import annotations

from kingpost.routing.converters import Converters
from kingpost.routing.registrar import Registrar
from kingpost.routing.route import RouteGroup, checked_name, checked_prefix


class Blueprint(Registrar, RouteGroup):
    """Routes under one name, one prefix and one version, to be included in an App or in another Blueprint.

    Args:
        name: stands before the names of its routes: `todos.show`.
        prefix: begins with a slash and ends without one, such as `"/todos"`; empty for none.
        version: `"2"` puts `/v2` before the prefix.
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
        converters: Converters | None = None,
    ) -> None:
        super().__init__()
        self.name = checked_name(name)
        self.version = None if version is None else checked_name(version)
        self.prefix = ("" if self.version is None else f"/v{self.version}") + checked_prefix(prefix)
        self._registry.converters = dict(converters or {})

    def __repr__(self) -> str:
        return f"Blueprint({self.name!r}, prefix={self.prefix!r})"
