"""What is looked at after msgspec or pydantic has decoded a value, because neither of them looks at it.

Two things: rules that `check` gave to a class, and decimals, which msgspec reads from "NaN" and "Infinity" as well. Types without
either are never visited.
"""

from __future__ import annotations

import decimal
import functools
from collections.abc import Callable, Iterable
from typing import Any

from kingpost.schema.annotation import class_of
from kingpost.schema.markers import checks_of
from kingpost.schema.model import Model, types_in
from kingpost.schema.types import (
    ListType,
    MapType,
    ModelType,
    ScalarType,
    TupleType,
    Type,
    UnionType,
)

Visit = Callable[[Any], None]


class Doubt(ValueError):
    """A decoder's value, or a document, is not good; the general reader says why."""


def visit_of(kind: Type, *, decimals: bool) -> Visit | None:
    """What looks at a decoded value, and raises ValueError for one that is not good; None where there is nothing to look at.

    Args:
        kind: the type.
        decimals: whether decimals may still be no numbers.
    """
    visitor = Visitor(decimals=decimals)
    if not visitor.wants(kind):
        return None

    def visit(value: Any) -> None:
        visitor.visit(kind, value)

    return visit


class Visitor:
    """Visits the parts of values that are worth it."""

    def __init__(self, *, decimals: bool) -> None:
        self._decimals = decimals
        self._wanted: dict[int, list[tuple[str, Type]]] = {}

    def wants(self, kind: Type) -> bool:
        """Whether a value of a type leads to something that has to be looked at."""
        return any(
            (isinstance(each, ModelType) and checks_of(each.model.cls))
            or (self._decimals and isinstance(each, ScalarType) and each.name == "decimal")
            for each in types_in(kind)
        )

    def visit(self, kind: Type, value: Any) -> None:
        """Look at a value; raises ValueError for one that is not good."""
        if value is None:
            return
        if isinstance(kind, ModelType):
            self._model(kind.model, value)
        elif isinstance(kind, UnionType):
            member = next((one for one in kind.members if is_of(one, value)), None)
            if member is not None:
                self.visit(member, value)
        elif isinstance(kind, ScalarType):
            if isinstance(value, decimal.Decimal) and not value.is_finite():
                raise Doubt("not finite")
        else:
            for part, item in parts_of(kind, value):
                self.visit(part, item)

    def _model(self, model: Model, value: Any) -> None:
        wanted = self._wanted.get(id(model))
        if wanted is None:
            wanted = [(field.name, field.type) for field in model.fields if self.wants(field.type)]
            self._wanted[id(model)] = wanted
        part_of = value.get if is_dict(model) else functools.partial(getattr, value)
        for name, kind in wanted:
            self.visit(kind, part_of(name, None))
        for function in checks_of(model.cls):
            function(value)


def parts_of(kind: Type, value: Any) -> Iterable[tuple[Type, Any]]:
    """The parts of a list, a tuple or a mapping, each with its type."""
    if isinstance(kind, ListType):
        return ((kind.item, item) for item in value)
    if isinstance(kind, MapType):
        return ((kind.value, item) for item in value.values())
    if isinstance(kind, TupleType):
        return zip(kind.items, value, strict=True)
    return ()


def is_of(kind: Type, value: object) -> bool:
    """Whether a decoded value is of a member of a union."""
    if isinstance(kind, ModelType):
        return isinstance(value, dict) if is_dict(kind.model) else isinstance(value, kind.model.cls)
    if isinstance(kind, ScalarType):
        return class_of(value) is kind.cls
    if isinstance(kind, ListType):
        return isinstance(value, kind.container)
    if isinstance(kind, MapType):
        return isinstance(value, dict)
    if isinstance(kind, UnionType):
        return any(is_of(member, value) for member in kind.members)
    return isinstance(kind, TupleType) and isinstance(value, tuple)


def is_dict(model: Model) -> bool:
    """Whether its objects are dicts: a TypedDict's."""
    return issubclass(model.cls, dict)
