"""What a return annotation lets through: `-> Todo` sends the fields of Todo, whatever the handler had in its hands.

A value of exactly the annotated class is sent as it is. Anything else (a subclass with more fields, a row of a database, a dict) is
converted first, which leaves out every field that the class does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Union, cast, get_args, get_origin, is_typeddict

import msgspec

from kingpost.binding.annotation import bare, class_of, is_model_class, is_union, list_of

Shape = Callable[[Any], Any]

PLAIN = (type(None), bool, int, float, str, bytes)
CONTAINERS = (list, tuple, set, frozenset)


def shape_of(annotation: Any) -> Shape | None:
    """The filter for values of an annotation; None where it names no model, so that there is nothing to filter by."""
    kind = bare(annotation).type
    if is_union(kind):
        return union_shape([bare(member).type for member in get_args(kind)])
    listed = list_of(kind)
    if listed is not None:
        return list_shape(bare(listed[1]).type, shape_of(listed[1]))
    if get_origin(kind) in (dict, Mapping):
        return mapping_shape(shape_of(get_args(kind)[1]))
    return model_shape(kind) if is_model_class(kind) else None


def model_shape(kind: Any) -> Shape:
    exact = None if is_typeddict(get_origin(kind) or kind) else get_origin(kind) or kind

    def shape(value: Any) -> Any:
        # A TypedDict is a dict at run time, and a dict may hold more.
        return value if type(value) is exact else converted(value, kind)

    return shape


def converted(value: Any, kind: Any) -> Any:
    if isinstance(value, Mapping) and not isinstance(value, dict):
        value = dict(cast("Mapping[object, object]", value))
    return msgspec.convert(value, kind, from_attributes=True)


def list_shape(item_type: Any, item: Shape | None) -> Shape | None:
    if item is None:
        return None
    exact: set[type[Any]] = (
        {item_type} if isinstance(item_type, type) and not is_typeddict(item_type) else set()
    )

    def shape(value: Any) -> Any:
        kind = class_of(value)
        if not issubclass(kind, CONTAINERS):
            raise TypeError(f"{kind.__name__} is no list")
        # Most lists hold what they are annotated with: one pass in C says so.
        return value if exact.issuperset(map(type, value)) else [item(each) for each in value]

    return shape


def mapping_shape(item: Shape | None) -> Shape | None:
    if item is None:
        return None

    def shape(value: Any) -> Any:
        if not issubclass(class_of(value), Mapping):
            raise TypeError(f"{class_of(value).__name__} is no mapping")
        return {key: item(each) for key, each in value.items()}

    return shape


def union_shape(members: list[Any]) -> Shape | None:
    models = tuple(member for member in members if is_model_class(member))
    others = [shape_of(member) for member in members if not is_model_class(member)]
    containers = [shape for shape in others if shape is not None]
    if not models and not containers:
        return None
    exact = tuple(get_origin(model) or model for model in models if not is_typeddict(model))

    def shape(value: Any) -> Any:
        kind = class_of(value)
        if kind in exact or issubclass(kind, PLAIN):
            return value
        if issubclass(kind, CONTAINERS) and containers:
            return containers[0](value)
        for model in models:
            if not is_typeddict(model) and isinstance(value, get_origin(model) or model):
                return converted(value, model)
        # msgspec refuses a union whose members it cannot tell apart, so nothing leaves unfiltered.
        return converted(value, Union[models]) if models else value  # noqa: UP007

    return shape
