"""Answers that are one of several types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Union, get_origin

import msgspec

from kingpost.schema.annotation import bare, class_of, is_typed_dict, spelled
from kingpost.schema.describe import type_of
from kingpost.schema.outgoing.known import (
    CONTAINERS,
    PLAIN,
    is_converted,
    is_simple,
    model_of,
)
from kingpost.schema.outgoing.mirrors import Shape, ShapeOf
from kingpost.schema.registry import codec_of
from kingpost.schema.selection import Selection
from kingpost.schema.types import UnionType


class Named(NamedTuple):
    """A member with named fields, and its filter."""

    kind: Any
    cls: Any
    shape: Shape


def union_shape(members: list[Any], selection: Selection, shape_of: ShapeOf) -> Shape | None:
    """The filter for a union; None where no member is a model.

    Args:
        members: their annotations.
        selection: what is left of the models.
        shape_of: makes the filter of one of them.
    """
    named: list[Named] = []
    containers: list[Shape] = []
    for annotation in members:
        shaped = shape_of(annotation, selection)
        if shaped is None:
            continue
        kind = bare(annotation).type
        cls = get_origin(kind) or kind
        if codec_of(cls) is None:
            containers.append(shaped)
        else:
            named.append(Named(kind, cls, shaped))
    if not named and not containers:
        return None
    return of_members(named, containers, rest_shape(named, containers, selection))


def of_members(named: list[Named], containers: list[Shape], rest: Shape) -> Shape:
    classes = {member.cls: member.shape for member in named if not is_typed_dict(member.cls)}

    def shape(value: Any) -> Any:
        kind = class_of(value)
        exact = classes.get(kind)
        if exact is not None:
            return exact(value)
        if issubclass(kind, PLAIN):
            return value
        if issubclass(kind, CONTAINERS) and containers:
            return containers[0](value)
        for cls, shaped in classes.items():
            if isinstance(value, cls):
                return shaped(value)
        return rest(value)

    return shape


def rest_shape(named: list[Named], containers: list[Shape], selection: Selection) -> Shape:
    """The filter for what is an object of none of the members: a dict, a row."""
    if len(named) == 1:
        return named[0].shape
    if not named:
        return containers[0]
    tagged = tagged_shape(named)
    union = None if selection else msgspec_union(named)

    def shape(value: Any) -> Any:
        if tagged is not None and issubclass(class_of(value), Mapping):
            return tagged(value)
        if union is not None:
            return msgspec.convert(value, union, from_attributes=True)
        names = ", ".join(spelled(member.kind) for member in named)
        raise TypeError(f"{class_of(value).__name__} is none of {names}")

    return shape


def union_of(named: list[Named]) -> Any:
    union: Any = Union
    return union[tuple(member.kind for member in named)]


def tagged_shape(named: list[Named]) -> Shape | None:
    """The filter for dicts that say themselves which member of a union they are."""
    union = type_of(union_of(named), outgoing=True)
    if not isinstance(union, UnionType) or not union.discriminator:
        return None
    shapes = {member.kind: member.shape for member in named}

    def shape(value: Any) -> Any:
        member = union.member_for(value.get(union.discriminator))
        if member is None:
            raise TypeError(
                f"its {union.discriminator} names none of the types that may stand here"
            )
        return shapes[member.model.annotation](value)

    return shape


def msgspec_union(named: list[Named]) -> Any:
    """The union that msgspec can tell apart by itself; None where it cannot, or must not."""
    for member in named:
        codec = codec_of(member.cls)
        if codec is None or codec.family != "msgspec" or not is_simple(model_of(member.kind)):
            return None
    union = union_of(named)
    # Of two that it cannot tell apart only their own objects are answers.
    return union if is_converted(union) else None
