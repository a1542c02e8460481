"""Objects of pydantic as they are sent: by pydantic's serializer, without what is not to leave."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from kingpost.schema.annotation import class_of
from kingpost.schema.kinds.pydantic import serializer_of, validator_of
from kingpost.schema.markers import has_private
from kingpost.schema.model import Model
from kingpost.schema.outgoing.known import PLAIN, known_model
from kingpost.schema.registry import codec_of
from kingpost.schema.selection import Selection
from kingpost.schema.types import ListType, MapType, ModelType, Type, inner

WHOLE = Selection()


def validated(model: Model, value: Any) -> Any:
    """A pydantic object from a row or a dict.

    Raises:
        msgspec.ValidationError: pydantic refuses it.
    """
    if isinstance(value, Mapping):
        value = dict(cast("Mapping[object, object]", value))
    try:
        return validator_of(model.annotation).validate_python(
            value, from_attributes=True, by_alias=True, by_name=True
        )
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from error


def dumped(model: Model, value: Any, selection: Selection = WHOLE) -> Any:
    """A pydantic object as dicts, lists and scalars, by pydantic's serializer, with bytes and durations as the other kinds have them."""
    excluded = left_out(model.type, value, selection) if selection or has_private() else None
    return serializer_of(model).to_python(
        value, mode="json", by_alias=True, exclude=excluded, exclude_defaults=selection.partial
    )


def left_out(kind: Type | None, value: Any, selection: Selection) -> dict[Any, Any] | None:
    """What of a value is not sent, as pydantic's `exclude` has it: by names, keys and indexes, as deep as the value is."""
    found: dict[Any, Any] = {}
    kind = None if kind is None else inner(kind)
    cls = class_of(value)
    if issubclass(cls, list | tuple):
        item = kind.item if isinstance(kind, ListType) else None
        found = {index: left_out(item, each, selection) for index, each in enumerate(value)}
    elif isinstance(kind, ModelType) and issubclass(cls, dict):
        # A TypedDict.
        found = parts_left_out(kind.model, value.get, selection)
    elif issubclass(cls, dict):
        item = kind.value if isinstance(kind, MapType) else None
        found = {key: left_out(item, each, selection) for key, each in value.items()}
    elif cls not in PLAIN and codec_of(cls) is not None:
        found = parts_left_out(
            known_model(cls), functools.partial(part_of_object, value), selection
        )
        if selection.only is not None and hasattr(cls, "__pydantic_decorators__"):
            computed = cls.__pydantic_decorators__.computed_fields
            found |= {name: True for name in computed if selection.leaves_out(name)}
    return {name: part for name, part in found.items() if part} or None


def parts_left_out(
    model: Model, part: Callable[[str], Any], selection: Selection
) -> dict[Any, Any]:
    return {
        field.name: True
        if field.private or selection.leaves_out(field.name)
        else left_out(field.type, part(field.name), selection.below(field.name))
        for field in model.fields
    }


def part_of_object(value: object, name: str) -> Any:
    return getattr(value, name, None)
