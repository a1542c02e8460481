"""The general reader: a value of plain JSON becomes a value of a described type, and every rule that is broken on the way is told.

The decoders of msgspec and pydantic are quicker and stop, or differ, at the first mistake; this one is asked where they refuse, and
for types that neither can decode. It reads what they read: a property test compares them.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import msgspec

from kingpost import limits
from kingpost.errors import FieldError
from kingpost.schema.annotation import class_of
from kingpost.schema.codec import Problem, at_path, problems_of
from kingpost.schema.markers import checks_of
from kingpost.schema.model import Field, Model
from kingpost.schema.problems import MAX_ERRORS, Location, field_error
from kingpost.schema.rules import counted
from kingpost.schema.types import (
    AnyType,
    ChoiceType,
    ListType,
    MapType,
    ModelType,
    OpaqueType,
    ScalarType,
    TupleType,
    Type,
    UnionType,
)

TEXTUAL: Mapping[str, tuple[Any, str]] = {
    "datetime": (dt.datetime, "not-a-datetime"),
    "date": (dt.date, "not-a-date"),
    "time": (dt.time, "not-a-time"),
    "duration": (dt.timedelta, "not-a-duration"),
    "uuid": (uuid.UUID, "not-a-uuid"),
    "decimal": (decimal.Decimal, "not-a-decimal"),
    "bytes": (bytes, "not-base64"),
}
"""Scalars that JSON writes as text: msgspec says whether the text is one. And the code for those that are none."""

NONE_OF_THEM: Final = "is none of the types that may stand here"


class Misread:
    """Stands where a text of a form or a query was no value of its type; the reader tells it in its order.

    Args:
        given: the text, or the texts.
        code: what is wrong with it.
    """

    __slots__ = ("code", "given")

    def __init__(self, given: object, code: str) -> None:
        self.given = given
        self.code = code


class Enough(Exception):
    """A hundred errors were found."""


class Failed:
    """What a read that told an error gives back."""


FAILED: Final = Failed()


def read(
    kind: Type, given: object, root: Location, *, constructs: bool = True
) -> tuple[Any, list[FieldError]]:
    """A value of a type, or what is wrong with what was given: at most 100 errors, in the order of the fields.

    Args:
        kind: the type.
        given: a document, decoded without a type.
        root: where it stands, such as `("body",)`.
        constructs: whether objects are made, and checked by whatever their classes have of their own; else each stands as the dict or
            list that was given, with the values that were read in it.
    """
    reading = Reading(constructs=constructs)
    try:
        value = reading.value(kind, given, root)
    except Enough:
        value = None
    return None if reading.errors else value, reading.errors


class Reading:
    """One document being read.

    Attributes:
        errors: what is wrong with it, as far as it was read.
    """

    def __init__(self, *, constructs: bool) -> None:
        self.errors: list[FieldError] = []
        self._constructs = constructs

    def value(self, kind: Type, given: Any, at: Location) -> Any:
        """A value; FAILED with errors told."""
        if type(given) is Misread and not isinstance(kind, UnionType):
            return self._fail(at, given.code, given=given.given)
        return READERS[type(kind)](self, kind, given, at)

    def _fail(self, at: Location, code: str, message: str = "", *, given: object = ...) -> Failed:
        if given is ...:
            self.errors.append(field_error(at, code, message))
        else:
            self.errors.append(field_error(at, code, message, given=given))
        if len(self.errors) >= MAX_ERRORS:
            raise Enough
        return FAILED

    def _ruled(self, kind: Type, value: Any, given: object, at: Location) -> Any:
        found = value
        if kind.rules:
            for code, message in kind.rules.broken(value):
                found = self._fail(at, code, message, given=given)
        return found

    # -- values without parts

    def read_any(self, kind: AnyType | OpaqueType, given: Any, at: Location) -> Any:
        return given

    def read_scalar(self, kind: ScalarType, given: Any, at: Location) -> Any:
        textual = TEXTUAL.get(kind.name)
        if textual is not None:
            return self._textual(kind, given, at, *textual)
        code = UNFIT[kind.name](given)
        if code:
            return self._fail(at, code, given=given)
        if kind.name == "number":
            try:
                given = float(given)
            except OverflowError:
                return self._fail(at, "not-a-number", given=str(given)[:400])
        return self._ruled(kind, given, given, at)

    def _textual(self, kind: ScalarType, given: Any, at: Location, cls: Any, code: str) -> Any:
        try:
            value: Any = msgspec.convert(given, cls)
        except msgspec.ValidationError:
            return self._fail(at, code, given=given)
        if cls is decimal.Decimal and not value.is_finite():
            return self._fail(at, code, given=given)
        return self._ruled(kind, value if cls is not bytes else kind.cls(value), given, at)

    def read_choice(self, kind: ChoiceType, given: Any, at: Location) -> Any:
        for allowed in kind.values:
            if type(given) is type(allowed) and given == allowed:
                return given if kind.enum is None else kind.enum(given)
        words = ", ".join(map(str, kind.values))
        if len(words) > limits.DETAIL_INPUT_CHARACTERS:
            words = f"{len(kind.values)} choices"
        return self._fail(at, "not-a-choice", f"must be one of {words}", given=given)

    # -- values with parts

    def read_list(self, kind: ListType, given: Any, at: Location) -> Any:
        if not isinstance(given, list):
            return self._fail(at, "not-a-list", given=given)
        items = cast("list[object]", given)
        found = self._ruled(kind, items, items, at)
        values = [self.value(kind.item, item, (*at, index)) for index, item in enumerate(items)]
        if found is FAILED or has_failed(values):
            return FAILED
        return kind.container(values)

    def read_tuple(self, kind: TupleType, given: Any, at: Location) -> Any:
        if not isinstance(given, list):
            return self._fail(at, "not-a-list", given=given)
        items, size = cast("list[object]", given), len(kind.items)
        if len(items) != size:
            return self._fail(at, "wrong-length", f"must have {counted(size, 'item')}", given=items)
        values = [
            self.value(part, item, (*at, index))
            for index, (part, item) in enumerate(zip(kind.items, items, strict=True))
        ]
        return FAILED if has_failed(values) else tuple(values)

    def read_map(self, kind: MapType, given: Any, at: Location) -> Any:
        if not isinstance(given, dict):
            return self._fail(at, "not-an-object", given=given)
        entries = cast("dict[str, object]", given)
        is_good = self._ruled(kind, entries, entries, at) is not FAILED
        found: dict[Any, Any] = {}
        for name, item in entries.items():
            key = self._key(kind.key, name, (*at, name))
            value = self.value(kind.value, item, (*at, name))
            if key is FAILED or value is FAILED:
                is_good = False
            else:
                found[key] = value
        return found if is_good else FAILED

    def _key(self, kind: Type, name: str, at: Location) -> Any:
        """A name of an object is text, whatever it is made into."""
        given: object = name
        if isinstance(kind, ScalarType) and kind.name in ("integer", "number"):
            try:
                given = msgspec.convert(name, kind.cls, strict=False)
            except msgspec.ValidationError:
                given = name
        elif isinstance(kind, ChoiceType):
            given = next((value for value in kind.values if str(value) == name), name)
        return self.value(kind, given, at)

    def read_union(self, kind: UnionType, given: Any, at: Location) -> Any:
        if given is None and kind.takes_null:
            return None
        if len(kind.members) == 1:
            return self.value(kind.members[0], given, at)
        candidates = candidates_for(kind, given)
        if len(candidates) == 1:
            return self.value(candidates[0], given, at)
        for member in candidates:
            # Each on its own: the first that takes it wins, and nobody wants to hear of the others.
            trial = Reading(constructs=self._constructs)
            try:
                value = trial.value(member, given, at)
            except Enough:
                continue
            if not trial.errors:
                # What several could take is left as it was sent, for whoever makes the object to choose.
                return value if self._constructs else given
        shown: object = given.given if type(given) is Misread else given
        return self._fail(at, "not-a-choice", NONE_OF_THEM, given=shown)

    # -- values with named fields

    def read_model(self, kind: ModelType, given: Any, at: Location) -> Any:
        model = kind.model
        if model.opaque:
            return self._construct(model, {}, given, at)
        if model.array_like:
            return self._row(model, given, at)
        if not isinstance(given, dict):
            return self._fail(at, "not-an-object", given=given)
        entries = cast("dict[str, Any]", given)
        before = len(self.errors)
        if model.tag_field and entries.get(model.tag_field, model.tag) != model.tag:
            tag = entries[model.tag_field]
            self._fail((*at, model.tag_field), "not-a-choice", f"must be {model.tag}", given=tag)
        names = {field.name: name_in(field, model, entries) for field in model.fields}
        values = self._fields(model, names, entries, at)
        if kind.closed or model.closed:
            known = {model.tag_field, *names.values()}
            for name in entries:
                if name not in known:
                    self._fail((*at, name), "unknown-field", given=entries[name])
        if len(self.errors) > before:
            return FAILED
        return self._construct(model, values, entries, at)

    def _fields(
        self, model: Model, names: Mapping[str, str], entries: dict[str, Any], at: Location
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field in model.fields:
            name = names[field.name]
            if name in entries:
                values[field.name] = self.value(field.type, entries[name], (*at, name))
            elif field.required:
                self._fail((*at, name), "missing")
        return values

    def _row(self, model: Model, given: Any, at: Location) -> Any:
        if not isinstance(given, list):
            return self._fail(at, "not-a-list", given=given)
        items = cast("list[object]", given)[1 if model.tag_field else 0 :]
        required, most = sum(field.required for field in model.fields), len(model.fields)
        if len(items) < required or (model.closed and len(items) > most):
            words = counted(most, "item")
            if required != most:
                words = f"{required} to {words}"
            return self._fail(at, "wrong-length", f"must have {words}", given=items)
        values = {
            field.name: self.value(field.type, item, (*at, index))
            for index, (field, item) in enumerate(zip(model.fields, items, strict=False))
        }
        if has_failed(values.values()):
            return FAILED
        return self._construct(model, values, given, at)

    def _construct(self, model: Model, values: dict[str, Any], given: Any, at: Location) -> Any:
        """The object, after the checks that its class has of its own."""
        if not self._constructs:
            return with_values(model, values, given)
        try:
            value = model.codec.construct(model, values, given)
        except (ValueError, TypeError) as error:
            return self._tell(model.codec.problems(model, error), given, at)
        found = value
        for function in checks_of(model.cls):
            try:
                function(value)
            except (ValueError, TypeError) as error:
                found = self._tell(problems_of(model, error), given, at)
        return found

    def _tell(self, problems: list[Problem], given: Any, at: Location) -> Failed:
        for path, code, message in problems:
            is_there, value = at_path(given, path)
            if is_there:
                self._fail((*at, *path), code, message, given=value)
            else:
                self._fail((*at, *path), code, message)
        return FAILED


def name_in(field: Field, model: Model, entries: Mapping[str, Any]) -> str:
    """The name that a field has in an object."""
    if model.by_name and field.alias not in entries and field.name in entries:
        return field.name
    return field.alias


def with_values(model: Model, values: dict[str, Any], given: Any) -> Any:
    """What was given for an object, with the values that were read of it."""
    if model.opaque:
        return given
    if model.array_like:
        start = 1 if model.tag_field else 0
        items = cast("list[object]", given)
        return [*items[:start], *values.values(), *items[start + len(values) :]]
    names = {field.name: name_in(field, model, given) for field in model.fields}
    return {**given, **{names[name]: value for name, value in values.items()}}


def has_failed(values: Iterable[object]) -> bool:
    # Not `in`, which would ask the values whether they are equal to it.
    return any(value is FAILED for value in values)


def candidates_for(kind: UnionType, given: Any) -> list[Type]:
    """The members of a union that a value could be of."""
    if isinstance(given, dict) and kind.discriminator:
        member = kind.member_for(cast("dict[str, object]", given).get(kind.discriminator))
        return [] if member is None else [member]
    return [member for member in kind.members if could_be(member, cast("object", given))]


def could_be(kind: Type, given: object) -> bool:
    """Whether a value is of the JSON type that a type is written as."""
    return isinstance(given, Misread) or type(given) in json_classes(kind)


def json_classes(kind: Type) -> frozenset[type[Any]]:
    """The classes of decoded JSON that a type is written as."""
    if isinstance(kind, ScalarType):
        return JSON_CLASSES.get(kind.name, frozenset({str}))
    if isinstance(kind, ChoiceType):
        return frozenset(map(class_of, kind.values))
    if isinstance(kind, UnionType):
        null: frozenset[type[Any]] = JSON_CLASSES["null"] if kind.takes_null else frozenset()
        return null.union(*map(json_classes, kind.members))
    if isinstance(kind, ModelType):
        return (
            frozenset({list if kind.model.array_like else dict}) if not kind.model.opaque else ALL
        )
    return CLASSES_OF.get(type(kind), ALL)


ALL: Final[frozenset[type[Any]]] = frozenset({dict, list, str, int, float, bool, type(None)})

CLASSES_OF: Mapping[type[Type], frozenset[type[Any]]] = {
    ListType: frozenset({list}),
    TupleType: frozenset({list}),
    MapType: frozenset({dict}),
}

JSON_CLASSES: Mapping[str, frozenset[type[Any]]] = {
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "decimal": frozenset({str, int, float}),
}

UNFIT: Mapping[str, Callable[[object], str]] = {
    "integer": lambda given: "" if type(given) is int else "not-an-integer",
    "number": lambda given: "" if type(given) in (int, float) else "not-a-number",
    "text": lambda given: "" if isinstance(given, str) else "not-text",
    "boolean": lambda given: "" if isinstance(given, bool) else "not-a-boolean",
    "null": lambda given: "" if given is None else "not-null",
}
"""The code for what is none of the scalars that JSON has itself."""

READERS: Mapping[type[Type], Callable[[Reading, Any, Any, Location], Any]] = {
    AnyType: Reading.read_any,
    OpaqueType: Reading.read_any,
    ScalarType: Reading.read_scalar,
    ChoiceType: Reading.read_choice,
    ListType: Reading.read_list,
    TupleType: Reading.read_tuple,
    MapType: Reading.read_map,
    UnionType: Reading.read_union,
    ModelType: Reading.read_model,
}
