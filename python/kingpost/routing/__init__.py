"""Paths and what answers them: registration, patterns, converters, names.

Knows nothing of how handlers get their arguments; `kingpost.app.plan` joins the two.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from kingpost.routing.converters import Converter
from kingpost.routing.options import FormLimits, RouteOptions, WebSocketOptions

if TYPE_CHECKING:
    from kingpost.routing.acl import Principals, permission
    from kingpost.routing.predicates import Accepts, HasHeader, HasQuery, Predicate
    from kingpost.routing.traversal import Traverse

__all__ = [
    "Accepts",
    "Converter",
    "FormLimits",
    "HasHeader",
    "HasQuery",
    "Predicate",
    "Principals",
    "RouteOptions",
    "Traverse",
    "WebSocketOptions",
    "permission",
]


# Few apps need these, and what they stand on takes its time to import.
_LATER = {
    **dict.fromkeys(
        ("Accepts", "HasHeader", "HasQuery", "Predicate"), "kingpost.routing.predicates"
    ),
    **dict.fromkeys(("Principals", "permission"), "kingpost.routing.acl"),
    "Traverse": "kingpost.routing.traversal",
}


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
