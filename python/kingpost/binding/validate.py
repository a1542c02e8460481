"""Every rule that a JSON value breaks.

msgspec decodes and validates in one pass, and stops at the first broken rule. Only then is the value walked here, against msgspec's own
description of the type, so that a person mends all mistakes at once. msgspec stays the judge: what it accepts is never walked, and where
this walk finds nothing (a check of the user's own, a union of many types), msgspec's own sentence is told.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
import uuid
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, cast

import msgspec
from msgspec import inspect as described

from kingpost.binding.errors import MAX_ERRORS, Location, field_error
from kingpost.binding.rules import Rules
from kingpost.errors import FieldError

Walk = Iterator[FieldError]

LEAVES: dict[type[described.Type], tuple[Any, str]] = {
    described.DateTimeType: (dt.datetime, "not-a-datetime"),
    described.DateType: (dt.date, "not-a-date"),
    described.TimeType: (dt.time, "not-a-time"),
    described.TimeDeltaType: (dt.timedelta, "not-a-duration"),
    described.UUIDType: (uuid.UUID, "not-a-uuid"),
    described.DecimalType: (decimal.Decimal, "not-a-decimal"),
    described.BytesType: (bytes, "not-base64"),
    described.ByteArrayType: (bytes, "not-base64"),
}
"""Values that JSON writes as text; msgspec says whether the text is one."""

MESSAGE_PATH = re.compile(r"(?s)(.*) - at `\$(.*)`")
MESSAGE_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def broken_rules(
    kind: described.Type, value: object, refusal: msgspec.ValidationError, root: Location
) -> list[FieldError]:
    """What is wrong with `value`, at most 100 errors; never empty.

    Args:
        kind: the type as `msgspec.inspect.type_info` describes it.
        value: the JSON document, decoded without a type.
        refusal: what msgspec said of it.
        root: where the document stands: `("body",)`.
    """
    found = list(islice(walk(kind, value, root), MAX_ERRORS))
    return found or [from_message(refusal, root)]


def from_message(refusal: msgspec.ValidationError, root: Location) -> FieldError:
    match = MESSAGE_PATH.fullmatch(str(refusal))
    if match is None:
        return field_error(root, "invalid", str(refusal))
    steps = (step[1] or step[2] for step in MESSAGE_STEP.finditer(match[2]))
    location = (*root, *(int(step) if step.isdigit() else step for step in steps))
    return field_error(location, "invalid", match[1])


def walk(kind: described.Type, value: Any, at: Location) -> Walk:
    if isinstance(kind, described.Metadata):
        return walk(kind.type, value, at)
    if type(kind) in LEAVES:
        return leaf(kind, value, at)
    walker = WALKERS.get(type(kind))
    return iter(()) if walker is None else walker(kind, value, at)


def leaf(kind: described.Type, value: Any, at: Location) -> Walk:
    python_type, code = LEAVES[type(kind)]
    try:
        msgspec.convert(value, python_type)
    except msgspec.ValidationError:
        yield field_error(at, code, given=value)


def rules(kind: described.Type, value: Any, at: Location) -> Walk:
    for code, message in Rules.of(kind).broken(value):
        yield field_error(at, code, message, given=value)


def integer(kind: Any, value: Any, at: Location) -> Walk:
    if isinstance(value, int) and not isinstance(value, bool):
        yield from rules(kind, value, at)
    else:
        yield field_error(at, "not-an-integer", given=value)


def number(kind: Any, value: Any, at: Location) -> Walk:
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from rules(kind, value, at)
    else:
        yield field_error(at, "not-a-number", given=value)


def text(kind: Any, value: Any, at: Location) -> Walk:
    if isinstance(value, str):
        yield from rules(kind, value, at)
    else:
        yield field_error(at, "not-text", given=value)


def boolean(_kind: Any, value: Any, at: Location) -> Walk:
    if not isinstance(value, bool):
        yield field_error(at, "not-a-boolean", given=value)


def null(_kind: Any, value: Any, at: Location) -> Walk:
    if value is not None:
        yield field_error(at, "not-null", given=value)


def choice(kind: described.EnumType | described.LiteralType, value: Any, at: Location) -> Walk:
    values = (
        kind.values
        if isinstance(kind, described.LiteralType)
        else tuple(member.value for member in kind.cls)
    )
    if not any(type(value) is type(allowed) and value == allowed for allowed in values):
        yield field_error(
            at, "not-a-choice", f"must be one of {', '.join(map(str, values))}", given=value
        )


def sequence(kind: Any, value: Any, at: Location) -> Walk:
    if not isinstance(value, list):
        yield field_error(at, "not-a-list", given=value)
        return
    items = cast("list[object]", value)
    yield from rules(kind, items, at)
    for index, item in enumerate(items):
        yield from walk(kind.item_type, item, (*at, index))


def fixed(kind: described.TupleType, value: Any, at: Location) -> Walk:
    size = len(kind.item_types)
    if not isinstance(value, list):
        yield field_error(at, "not-a-list", given=value)
        return
    items = cast("list[object]", value)
    if len(items) != size:
        yield field_error(at, "wrong-length", f"must have {size} items", given=items)
        return
    for index, (item_type, item) in enumerate(zip(kind.item_types, items, strict=True)):
        yield from walk(item_type, item, (*at, index))


def mapping(kind: described.DictType, value: Any, at: Location) -> Walk:
    if not isinstance(value, dict):
        yield field_error(at, "not-an-object", given=value)
        return
    entries = cast("dict[str, object]", value)
    yield from rules(kind, entries, at)
    for key, item in entries.items():
        yield from walk(kind.value_type, item, (*at, key))


def fields(kind: Any, value: Any, at: Location) -> Walk:
    """Struct, dataclass and TypedDict."""
    if getattr(kind, "array_like", False):
        return
    if not isinstance(value, dict):
        yield field_error(at, "not-an-object", given=value)
        return
    entries = cast("dict[str, object]", value)
    for field in kind.fields:
        if field.encode_name in entries:
            yield from walk(field.type, entries[field.encode_name], (*at, field.encode_name))
        elif field.required:
            yield field_error((*at, field.encode_name), "missing")
    if getattr(kind, "forbid_unknown_fields", False):
        known = {field.encode_name for field in kind.fields} | {kind.tag_field}
        for name in entries.keys() - known:
            yield field_error((*at, name), "unknown-field")


def union(kind: described.UnionType, value: Any, at: Location) -> Walk:
    members = [member for member in kind.types if not isinstance(member, described.NoneType)]
    if value is None and len(members) < len(kind.types):
        return
    if len(members) == 1:
        yield from walk(members[0], value, at)
        return
    tagged = tagged_member(members, value)
    if tagged is not None:
        yield from walk(tagged, value, at)
    elif all(next(walk(member, value, at), None) is not None for member in members):
        yield field_error(
            at, "not-a-choice", "is none of the types that may stand here", given=value
        )


def tagged_member(members: list[described.Type], value: Any) -> described.Type | None:
    if not isinstance(value, dict):
        return None
    entries = cast("dict[str, object]", value)
    for member in members:
        if (
            isinstance(member, described.StructType)
            and member.tag_field
            and entries.get(member.tag_field) == member.tag
        ):
            return member
    return None


WALKERS: dict[type[described.Type], Callable[[Any, Any, Location], Walk]] = {
    described.IntType: integer,
    described.FloatType: number,
    described.StrType: text,
    described.BoolType: boolean,
    described.NoneType: null,
    described.EnumType: choice,
    described.LiteralType: choice,
    described.ListType: sequence,
    described.SetType: sequence,
    described.FrozenSetType: sequence,
    described.VarTupleType: sequence,
    described.CollectionType: sequence,
    described.TupleType: fixed,
    described.DictType: mapping,
    described.StructType: fields,
    described.DataclassType: fields,
    described.TypedDictType: fields,
    described.UnionType: union,
}
