"""The order of middleware that says what it must stand under, or over.

Rule 1: the first is the outermost; what says nothing stays in the order of registration.
Rule 2: whoever is not there is no reason to refuse: a plugin may order itself by what an App need not have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from kingpost.routing.refusal import refused
from kingpost.types import Place


class Layered(msgspec.Struct, frozen=True):
    """A middleware, and where it wants to stand.

    Attributes:
        function: the middleware.
        under: those that must be outside of it: the objects, or their classes.
        over: those that must be inside of it.
        place: where it was registered.
    """

    function: Callable[..., Any]
    under: tuple[Any, ...]
    over: tuple[Any, ...]
    place: Place


def ordered(layers: Sequence[Layered]) -> list[Callable[..., Any]]:
    """The middleware, outermost first.

    Raises:
        RoutingError: `routing.middleware-order` where two of them want to be outside of each other.
    """
    if not any(each.under or each.over for each in layers):
        return [each.function for each in layers]
    outside = {at: set(outer(layers, at)) for at in range(len(layers))}
    order: list[Callable[..., Any]] = []
    while outside:
        first = next((at for at, waits in outside.items() if not waits & outside.keys()), None)
        if first is None:
            stuck = [layers[at] for at in ring(outside)]
            names = " and ".join(name_of(each.function) for each in stuck)
            raise refused(
                "routing.middleware-order",
                f"{names} each want to stand under the other",
                "take one of under= and over= away",
                places=[each.place for each in stuck],
            )
        order.append(layers[first].function)
        del outside[first]
    return order


def ring(outside: Mapping[int, Collection[int]]) -> list[int]:
    """Those that wait for one another, of all that wait: whoever follows the waiting comes to them."""
    way = [next(iter(outside))]
    while (further := next(at for at in outside if at in outside[way[-1]])) not in way:
        way.append(further)
    return sorted(way[way.index(further) :])


def outer(layers: Sequence[Layered], at: int) -> Iterable[int]:
    """Those that must stand outside of one."""
    this = layers[at]
    for other, each in enumerate(layers):
        if other != at and (is_one(each, this.under) or is_one(this, each.over)):
            yield other


def is_one(layer: Layered, wanted: Iterable[Any]) -> bool:
    """Whether a middleware is one of some objects, or an object of one of some classes."""
    return any(
        isinstance(layer.function, each) if isinstance(each, type) else layer.function == each
        for each in wanted
    )


def name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", None) or type(function).__name__
