"""How routing says no at start-up: the rule, the remedy, the line."""

from __future__ import annotations

from collections.abc import Sequence

from kingpost.errors import RoutingError
from kingpost.types import Place


def refused(
    code: str, message: str, remedy: str = "", *, places: Sequence[Place] = ()
) -> RoutingError:
    """The error for a registration that cannot work; it names the calling line where no place is given."""
    return RoutingError(message, code=code, remedy=remedy, places=places or [Place.of_caller()])
