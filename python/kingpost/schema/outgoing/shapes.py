"""What a return annotation lets through: `-> Todo` sends the fields of Todo, whatever the handler had in its hands.

A value of exactly the annotated class is sent as it is, where the class has nothing to hide. Anything else (a subclass with more
fields, a row of a database, a dict) is converted first, which leaves out every field that the class does not have. A class with private
fields, or one of which `Only` or `Without` leaves a part, is converted to a class of the fields that are left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args, get_origin

import msgspec

from kingpost.schema.annotation import bare, class_of, is_typed_dict, is_union, list_of
from kingpost.schema.model import Model
from kingpost.schema.outgoing.known import (
    CONTAINERS,
    PLAIN,
    is_converted,
    is_simple,
    model_of,
)
from kingpost.schema.outgoing.mirrors import Mirrors, Shape, mirror_shape
from kingpost.schema.outgoing.pydantic import dumped, validated
from kingpost.schema.outgoing.unions import union_shape
from kingpost.schema.registry import codec_of
from kingpost.schema.selection import Selection

WHOLE = Selection()


def shape_of(annotation: Any, selection: Selection = WHOLE) -> Shape | None:
    """The filter for values of an annotation; None where it names no model, so that there is nothing to filter by.

    Raises:
        ConfigurationError: `Only` or `Without` names a field that is not there (`schema.unknown-field`).
    """
    stripped = bare(annotation)
    selection = selection.and_of(stripped.metadata)
    shape = present_shape(stripped.type, selection)
    if shape is None or not stripped.is_optional:
        return shape

    def optional(value: Any) -> Any:
        return None if value is None else shape(value)

    return optional


def present_shape(kind: Any, selection: Selection) -> Shape | None:
    """The filter for values that are not None."""
    if is_union(kind):
        return union_shape(list(get_args(kind)), selection, shape_of)
    listed = list_of(kind)
    if listed is not None:
        item = shape_of(listed[1], selection)
        return list_shape(exact_class(listed[1], selection), item)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin is tuple:
        return tuple_shape([shape_of(item, selection) for item in arguments])
    if origin in (dict, Mapping):
        return mapping_shape(shape_of(arguments[1], selection) if arguments else None)
    return model_shape(kind, selection) if codec_of(origin) is not None else None


def exact_class(annotation: Any, selection: Selection) -> type[Any] | None:
    """The class whose objects leave as they are; None where they are looked at."""
    stripped = bare(annotation)
    kind = get_origin(stripped.type) or stripped.type
    if not isinstance(kind, type) or selection.and_of(stripped.metadata) or is_typed_dict(kind):
        return None
    if codec_of(kind) is None:
        return kind if kind in PLAIN else None
    return kind if is_simple(model_of(stripped.type)) else None


def model_shape(kind: Any, selection: Selection) -> Shape:
    model = model_of(kind)
    selection.check(model)
    if model.codec.family == "msgspec":
        # msgspec looks at a TypedDict anew each time that it converts to one.
        is_class = not is_typed_dict(model.cls)
        if is_class and is_simple(model) and not selection and is_converted(kind):
            return whole_shape(kind)
        return mirror_shape(Mirrors(shape_of).of(model, selection), model.cls)
    if model.codec.family == "pydantic":
        return pydantic_shape(model, selection)
    return own_shape(model, selection)


def whole_shape(kind: Any) -> Shape:
    exact = get_origin(kind) or kind

    def shape(value: Any) -> Any:
        return value if type(value) is exact else converted(value, kind)

    return shape


def converted(value: Any, kind: Any) -> Any:
    if isinstance(value, Mapping) and not isinstance(value, dict):
        value = dict(cast("Mapping[object, object]", value))
    return msgspec.convert(value, kind, from_attributes=True)


def list_shape(exact: type[Any] | None, item: Shape | None) -> Shape | None:
    if item is None:
        return None
    whole: set[type[Any]] = set() if exact is None else {exact}

    def shape(value: Any) -> Any:
        kind = class_of(value)
        if not issubclass(kind, CONTAINERS):
            raise TypeError(f"{kind.__name__} is no list")
        # Most lists hold what they are annotated with: one pass in C says so.
        return value if whole.issuperset(map(type, value)) else [item(each) for each in value]

    return shape


def tuple_shape(items: list[Shape | None]) -> Shape | None:
    if all(item is None for item in items):
        return None

    def shape(value: Any) -> Any:
        if not issubclass(class_of(value), tuple) or len(value) != len(items):
            raise TypeError(f"{class_of(value).__name__} is no tuple of {len(items)}")
        return [
            each if item is None else item(each) for item, each in zip(items, value, strict=True)
        ]

    return shape


def mapping_shape(item: Shape | None) -> Shape | None:
    if item is None:
        return None

    def shape(value: Any) -> Any:
        if not issubclass(class_of(value), Mapping):
            raise TypeError(f"{class_of(value).__name__} is no mapping")
        return {key: item(each) for key, each in value.items()}

    return shape


def own_shape(model: Model, selection: Selection) -> Shape:
    """For kinds that were registered."""
    without = frozenset(
        field.name for field in model.fields if field.private or selection.leaves_out(field.name)
    )

    def shape(value: Any) -> Any:
        if not isinstance(value, model.cls):
            raise TypeError(f"{class_of(value).__name__} is no {model.name}")
        return model.codec.outgoing(model, value, without)

    return shape


def pydantic_shape(model: Model, selection: Selection) -> Shape:
    def shape(value: Any) -> Any:
        if not isinstance(value, model.cls):
            value = validated(model, value)
        return dumped(model, value, selection)

    return shape
