"""Values that no annotation describes, without their private fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kingpost.schema.annotation import class_of
from kingpost.schema.kinds.native import is_named_tuple
from kingpost.schema.model import Model, types_in
from kingpost.schema.outgoing.known import CONTAINERS, PLAIN, known_model
from kingpost.schema.outgoing.mirrors import Part
from kingpost.schema.registry import codec_of
from kingpost.schema.types import ChoiceType, ListType, ScalarType, UnionType


def without_private(value: Any) -> Any:
    """A value as msgspec may send it: whatever has private fields, however deep inside, has lost them.

    Only asked where a process has private fields at all.
    """
    kind = class_of(value)
    if kind in PLAIN:
        return value
    if issubclass(kind, CONTAINERS) and not is_named_tuple(type(value)):
        return [without_private(each) for each in value]
    if issubclass(kind, Mapping):
        return {key: without_private(each) for key, each in value.items()}
    if issubclass(kind, Part):
        return without_private(value.value)
    return parts_of(value, kind)


def parts_of(value: Any, kind: Any) -> Any:
    """An object as a dict of what may be sent of it; any other value as it is."""
    codec = codec_of(kind)
    if codec is None or codec.family == "pydantic":
        # pydantic's objects come by msgspec's hook for what it does not know, and lose them there.
        return value
    model = known_model(kind)
    if is_flat(model):
        return value
    private = frozenset(field.name for field in model.fields if field.private)
    parts = codec.outgoing(model, value, private)
    return without_private(parts)


def is_flat(model: Model) -> bool:
    """Whether its objects have no private fields, and only fields in which nothing can be hidden."""
    return all(
        not field.private and isinstance(each, ScalarType | ChoiceType | UnionType | ListType)
        for field in model.fields
        for each in types_in(field.type)
    )
