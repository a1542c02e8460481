"""Paths and what answers them: registration, patterns, converters, names.

Knows nothing of requests' contents or of how handlers get their arguments; `kingpost.app.plan` joins the two.
"""

from kingpost.routing.converters import Converter
from kingpost.routing.options import RouteOptions

__all__ = ["Converter", "RouteOptions"]
