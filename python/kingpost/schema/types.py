"""Types of values, described once for all who ask: the reader of bodies and forms, the filter of answers, OpenAPI.

A description is a tree of these; a `ModelType` leads to a `Model`, which may lead back to itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from kingpost.schema.annotation import class_of
from kingpost.schema.rules import NO_RULES, Rules

if TYPE_CHECKING:
    from kingpost.schema.model import Model

ScalarName: TypeAlias = Literal[
    "integer",
    "number",
    "text",
    "boolean",
    "null",
    "datetime",
    "date",
    "time",
    "duration",
    "uuid",
    "decimal",
    "bytes",
]


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """What every type has.

    Attributes:
        rules: bounds, lengths and patterns of the values.
    """

    rules: Rules = NO_RULES

    def parts(self) -> Iterator[Type]:
        """The types directly inside this one; the fields of a model are not among them."""
        return iter(())


class AnyType(Type, frozen=True):
    """Any value that JSON has."""


class OpaqueType(Type, frozen=True):
    """A type that only its own library can read, such as pydantic's EmailStr.

    Attributes:
        annotation: as it was written.
    """

    annotation: Any


class ScalarType(Type, frozen=True):
    """One value without parts.

    Attributes:
        name: what it is.
        cls: the class of its values.
    """

    name: ScalarName
    cls: type[Any]


class ChoiceType(Type, frozen=True):
    """One of several values: an enum or a Literal.

    Attributes:
        values: as JSON has them.
        enum: the enum, whose members they become; None for a Literal.
    """

    values: tuple[Any, ...]
    enum: type[Any] | None = None


class ListType(Type, frozen=True):
    """Items of one type.

    Attributes:
        item: their type.
        container: list, tuple, set or frozenset.
    """

    item: Type
    container: type[Any]

    def parts(self) -> Iterator[Type]:
        """The type of the items."""
        yield self.item


class TupleType(Type, frozen=True):
    """A list of fixed length, each item of a type of its own.

    Attributes:
        items: their types.
    """

    items: tuple[Type, ...]

    def parts(self) -> Iterator[Type]:
        """The types of the items."""
        return iter(self.items)


class MapType(Type, frozen=True):
    """An object whose names are not known beforehand.

    Attributes:
        key: the type of the names.
        value: the type of the values.
    """

    key: Type
    value: Type

    def parts(self) -> Iterator[Type]:
        """The types of names and values."""
        yield self.key
        yield self.value


class UnionType(Type, frozen=True, dict=True):
    """A value of one of several types.

    Attributes:
        members: the types, without null.
        takes_null: whether null is a value, too.
    """

    members: tuple[Type, ...]
    takes_null: bool

    def parts(self) -> Iterator[Type]:
        """The members."""
        return iter(self.members)

    @property
    def models(self) -> tuple[ModelType, ...]:
        """The members that have named fields."""
        return tuple(member for member in self.members if isinstance(member, ModelType))

    @cached_property
    def discriminator(self) -> str:
        """The name, as it is sent, whose value tells the models apart: a tag, or a Literal that all have; empty where there is none."""
        return self._tagged[0]

    def member_for(self, tag: object) -> ModelType | None:
        """The model whose discriminator has a value; None for a value that no model has."""
        try:
            return self._tagged[1].get((class_of(tag), tag))
        except TypeError:
            # A list or an object is nobody's tag.
            return None

    @cached_property
    def _tagged(self) -> tuple[str, dict[tuple[type[Any], object], ModelType]]:
        models = self.models
        for name in tags_of(models[0]) if len(models) > 1 else ():
            found: dict[tuple[type[Any], object], ModelType] = {}
            tags = [(member, value) for member in models for value in tags_of(member).get(name, ())]
            for member, value in tags:
                found[class_of(value), value] = member
            everyone = all(name in tags_of(member) for member in models)
            if everyone and len(found) == len(tags):
                return name, found
        return "", {}


class ModelType(Type, frozen=True):
    """A value with named fields.

    Attributes:
        model: its description.
        closed: whether fields that it does not have are refused here: the model says so, or the annotation does.
    """

    model: Model
    closed: bool = False


def inner(kind: Type) -> Type:
    """A type without null, if null is all that was added."""
    if isinstance(kind, UnionType) and len(kind.members) == 1:
        return kind.members[0]
    return kind


def tags_of(kind: ModelType) -> dict[str, list[object]]:
    """The names whose value may say which model this is, and the values that they have in it."""
    model = kind.model
    if model.tag_field:
        return {model.tag_field: [model.tag]}
    return {
        field.alias: list(field.type.values)
        for field in model.fields
        if isinstance(field.type, ChoiceType) and field.type.values
    }
