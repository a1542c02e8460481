"""Classes of the fields that are left of a model, to which msgspec converts what is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast, get_args, get_origin

import msgspec

from kingpost.schema.annotation import bare, class_of, generic, list_of
from kingpost.schema.describe import type_of
from kingpost.schema.model import NO_DEFAULT, Field, Model, types_in
from kingpost.schema.outgoing.known import model_of
from kingpost.schema.registry import codec_of
from kingpost.schema.selection import Selection
from kingpost.schema.types import ChoiceType, Type

Shape = Callable[[Any], Any]
ShapeOf = Callable[[Any, Selection], Shape | None]


class Part:
    """A part of an answer that another shape has made already; `kingpost.app.json` sends what is in it."""

    __slots__ = ("value",)
    shape: Callable[[Any], Any]

    def __init__(self, value: Any) -> None:
        self.value = value


def made(kind: type[Part], value: Any) -> Part:
    return kind(kind.shape(value))


def mirror_shape(mirror: Any, exact: type[Any]) -> Shape:
    """The filter that converts to a mirror.

    Args:
        mirror: of `Mirrors`.
        exact: the class of most values: whether they are mappings need not be asked.
    """

    def shape(value: Any) -> Any:
        kind = class_of(value)
        if kind is not dict and kind is not exact and issubclass(kind, Mapping):
            value = dict(cast("Mapping[object, object]", value))
        return msgspec.convert(value, mirror, from_attributes=True, dec_hook=made)

    return shape


def attribute_of(field: Field) -> str:
    """The name of a field as an attribute; a key of a TypedDict may be none."""
    return field.name if field.name.isidentifier() else f"key_{field.name.encode().hex()}"


class Mirrors:
    """Makes, for a model, a Struct with the fields that are left of it.

    Args:
        shape_of: makes the filter of a part that msgspec cannot convert.
    """

    def __init__(self, shape_of: ShapeOf) -> None:
        self._shape_of = shape_of
        self._making: list[tuple[Any, Selection]] = []

    def of(self, model: Model, selection: Selection) -> Any:
        """A Struct that `msgspec.convert` fills from an object, a row or a dict, and that has no field that must not leave."""
        self._making.append((model.annotation, selection))
        fields: list[Any] = []
        for field in model.fields:
            if field.private or selection.leaves_out(field.name):
                continue
            kind = self._type(field.annotation, selection.below(field.name))
            fields.append(
                (
                    attribute_of(field),
                    *((kind,) if field.required else with_default(kind, field)),
                )
            )
        self._making.pop()
        names = {attribute_of(field): field.alias for field in model.fields}
        return msgspec.defstruct(
            model.cls.__name__,
            fields,
            rename=names,
            kw_only=True,
            omit_defaults=selection.partial,
            tag_field=model.tag_field or None,
            tag=model.tag,
            array_like=model.array_like,
        )

    def _type(self, annotation: Any, selection: Selection) -> Any:
        """The type of a field: that of its annotation, models mirrored, rules left aside (they are for input)."""
        stripped = bare(annotation)
        selection = selection.and_of(stripped.metadata)
        kind = self._single(stripped.type, selection)
        return kind | None if stripped.is_optional and kind is not Any else kind

    def _single(self, kind: Any, selection: Selection) -> Any:
        origin, arguments = get_origin(kind) or kind, get_args(kind)
        if not any(codec_of(each) is not None for each in classes_in(kind)):
            return leaf(kind)
        listed = list_of(kind)
        if listed is not None:
            return generic(list, self._type(listed[1], selection))
        if origin in (dict, Mapping):
            return generic(dict, arguments[0], self._type(arguments[1], selection))
        codec = codec_of(origin)
        if (
            codec is None
            or codec.family != "msgspec"
            or (kind, selection) in self._making
            or len(self._making) > 32
        ):
            return part_of(kind, selection, self._shape_of)
        return self.of(model_of(kind), selection)


def part_of(kind: Any, selection: Selection, shape_of: ShapeOf) -> type[Part]:
    """A type that stands for what msgspec cannot convert, or what leads back to itself: a shape of its own, made when it is needed."""
    ready: list[Shape] = []

    def shape(value: Any) -> Any:
        if not ready:
            ready.append(shape_of(kind, selection) or same)
        return ready[0](value)

    return type("Part", (Part,), {"__slots__": (), "shape": staticmethod(shape)})


def same(value: Any) -> Any:
    return value


def leaf(kind: Any) -> Any:
    """A type without models, if msgspec knows it; Any for all else."""
    try:
        described = type_of(kind)
        msgspec.json.Decoder(kind)
    except (TypeError, NameError):
        return Any
    return Any if any(map(is_refused_enum, types_in(described))) else kind


def is_refused_enum(kind: Type) -> bool:
    """Whether msgspec does not convert the members of an enum to themselves: their values are numbers, and they are none."""
    return (
        isinstance(kind, ChoiceType)
        and kind.enum is not None
        and not issubclass(kind.enum, int)
        and any(isinstance(value, int) for value in kind.values)
    )


def classes_in(annotation: Any) -> list[Any]:
    """Every class that an annotation names."""
    kind = bare(annotation).type
    found = [get_origin(kind) or kind]
    for argument in get_args(kind):
        found += classes_in(argument)
    return found


def with_default(kind: Any, field: Field) -> tuple[Any, Any]:
    factory = field.default_factory
    if factory is not None:
        # dataclasses.field(default_factory=list[str]): msgspec leaves out what list made.
        return kind, msgspec.field(default_factory=get_origin(factory) or factory)
    if field.default is NO_DEFAULT or field.default is msgspec.UNSET:
        return kind | msgspec.UnsetType if kind is not Any else Any, msgspec.UNSET
    default = field.default
    if isinstance(default, list | dict | set):
        return kind, msgspec.field(default_factory=lambda: default)  # pyright: ignore[reportUnknownLambdaType, reportUnknownVariableType] - as it was
    return kind, default
