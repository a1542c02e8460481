"""Blueprint: routes that belong together, made apart from any App."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from kingpost.routing.conditions import predicates_of
from kingpost.routing.converters import Converters
from kingpost.routing.options import check_options, several
from kingpost.routing.refusal import refused
from kingpost.routing.registrar import Registrar
from kingpost.routing.route import RouteGroup, checked_name, checked_prefix

if TYPE_CHECKING:
    from kingpost.routing.around import Middleware
    from kingpost.routing.predicates import Predicate


VersionedBy = Literal["path", "header", "accept"]
"""Where a client says which version of a blueprint it wants."""

VERSION_FIELD = "api-version"


class Blueprint(Registrar, RouteGroup):
    """Routes under one name, one prefix and one version, to be included in an App or in another Blueprint.

    Args:
        name: stands before the names of its routes: `todos.show`.
        prefix: begins with a slash and ends without one, such as `"/todos"`; empty for none.
        version: `"2"` puts `/v2` before the prefix, unless `versioned_by` says otherwise.
        versioned_by: where a client says which version it wants: in the "path"; in a "header", `API-Version: 2`; in "accept",
            `Accept: application/json; version=2`.
        hosts: the hosts that its routes answer for, unless they say so themselves; any if not said.
        when: what must hold for each of its routes, besides what they demand themselves.
        requires: what must hold of who asks, for each of its routes: a function or several, as the route option.
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
        versioned_by: VersionedBy = "path",
        hosts: Sequence[str] = (),
        when: Predicate | Sequence[Predicate] = (),
        requires: Callable[..., Any] | Sequence[Callable[..., Any]] = (),
        middleware: Sequence[Middleware] = (),
        converters: Converters | None = None,
    ) -> None:
        super().__init__()
        self.name = checked_name(name)
        self.version = None if version is None else checked_name(version)
        options = check_options({"hosts": hosts, "when": when, "requires": requires})
        self.requires = several(requires)
        self.hosts = tuple(options.get("hosts", ()))
        self.when = predicates_of(options.get("when", ()))
        self.prefix = checked_prefix(prefix)
        if versioned_by not in ("path", "header", "accept"):
            raise refused(
                "routing.bad-version",
                f"versioned_by={versioned_by!r} is none",
                "write versioned_by='path', 'header' or 'accept'",
            )
        if self.version is None:
            if versioned_by != "path":
                raise refused(
                    "routing.bad-version",
                    f"versioned_by={versioned_by!r}, and there is no version",
                    "write version='1' as well",
                )
        elif versioned_by == "path":
            self.prefix = f"/v{self.version}{self.prefix}"
        else:
            self.when = (version_of(versioned_by, self.version), *self.when)
        self._registry.converters = dict(converters or {})
        for each in middleware:
            self.middleware(each)

    def __repr__(self) -> str:
        return f"Blueprint({self.name!r}, prefix={self.prefix!r})"


def version_of(versioned_by: VersionedBy, version: str) -> Predicate:
    from kingpost.routing.predicates import AcceptsVersion, HasHeader

    if versioned_by == "header":
        return HasHeader(VERSION_FIELD, version)
    return AcceptsVersion(version)
