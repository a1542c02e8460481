"""Scalars: the types whose values one text of a path or a query can be.

Rule 1: strict. Digits are ASCII digits, no underscores, no spaces, no `nan` and no `inf`.
Rule 2: bounded. An integer has at most 4,300 digits; what grows with an exponent has at most three digits of it.
Rule 3: one text has one meaning, whatever the locale.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from kingpost import limits
from kingpost.schema.annotation import bare
from kingpost.schema.problems import Refused
from kingpost.schema.rules import Rules

T = TypeVar("T")

INTEGER = re.compile(rf"-?[0-9]{{1,{limits.JSON_INTEGER_DIGITS}}}", re.ASCII)
FLOAT = re.compile(
    r"-?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII
)
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
BOOLEANS = {
    "true": True,
    "1": True,
    "on": True,
    "yes": True,
    "false": False,
    "0": False,
    "off": False,
    "no": False,
}
MAX_TEMPORAL = 64
"""Characters of a time or a duration: the longest that RFC 3339 can be, and room."""


class Scalar(msgspec.Struct, frozen=True):
    """How one text becomes a value."""

    type: Any
    """The Python type of the values, for the check of defaults; object where no one type says it."""
    words: str
    """What `kingpost routes explain` calls it."""
    convert: Callable[[str], object]
    """Raises Refused."""
    native: str | Callable[[str], object]
    """The name of the engine's own conversion, which takes a part of what `convert` takes; else `convert`."""

    @property
    def is_text(self) -> bool:
        """Whether the empty text is a value. For all others it means that nothing was filled in."""
        return self.type is str


def to_integer(text: str) -> int:
    if INTEGER.fullmatch(text) is None:
        raise Refused("not-an-integer")
    return int(text)


def to_float(text: str) -> float:
    if FLOAT.fullmatch(text) is None or math.isinf(value := float(text)):
        raise Refused("not-a-number")
    return value


def to_boolean(text: str) -> bool:
    try:
        return BOOLEANS[text]
    except KeyError:
        raise Refused("not-a-boolean") from None


def to_text(text: str) -> str:
    return text


def to_uuid(text: str) -> uuid.UUID:
    # UUID() would take braces, "urn:uuid:" and hyphens anywhere.
    if UUID.fullmatch(text) is None:
        raise Refused("not-a-uuid")
    return uuid.UUID(text)


def to_date(text: str) -> dt.date:
    # fromisoformat() would take week dates and digits without hyphens.
    if DATE.fullmatch(text) is None:
        raise Refused("not-a-date")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused("not-a-date") from None


def to_decimal(text: str) -> decimal.Decimal:
    if FLOAT.fullmatch(text) is None:
        raise Refused("not-a-decimal")
    return decimal.Decimal(text)


def by_msgspec(kind: type[T], code: str) -> Callable[[str], T]:
    """RFC 3339 and ISO 8601 as msgspec reads them in a body, so that both sides of a request agree."""

    def convert(text: str) -> T:
        if len(text) > MAX_TEMPORAL:
            raise Refused(code)
        try:
            return msgspec.convert(text, kind)
        except msgspec.ValidationError:
            raise Refused(code) from None

    return convert


def simple(kind: Any, words: str, convert: Callable[[str], object], native: str = "") -> Scalar:
    return Scalar(kind, words, convert, native or convert)


SIMPLE: Mapping[Any, Scalar] = {
    scalar.type: scalar
    for scalar in (
        simple(str, "text", to_text, "str"),
        simple(int, "an integer", to_integer, "int"),
        simple(float, "a number", to_float, "float"),
        simple(bool, "true or false", to_boolean, "bool"),
        simple(uuid.UUID, "a UUID", to_uuid),
        simple(dt.date, "a date", to_date),
        simple(dt.datetime, "a date and time", by_msgspec(dt.datetime, "not-a-datetime")),
        simple(dt.time, "a time", by_msgspec(dt.time, "not-a-time")),
        simple(dt.timedelta, "a duration", by_msgspec(dt.timedelta, "not-a-duration")),
        simple(decimal.Decimal, "a decimal number", to_decimal),
    )
}


def scalar_of(annotation: Any) -> Scalar | None:
    """How values of an annotation are read from one text; None where they cannot be."""
    stripped = bare(annotation)
    scalar = plain_scalar(stripped.type)
    if scalar is None or not stripped.rules:
        return scalar
    return ruled(scalar, stripped.rules)


def plain_scalar(kind: Any) -> Scalar | None:
    if get_origin(kind) is Literal:
        choices = {spelling(value): value for value in get_args(kind)}
        # Literal[1, "1"]: one text would have two meanings.
        return chosen(object, choices) if len(choices) == len(get_args(kind)) else None
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        if any(not isinstance(member.value, str | int) for member in kind):
            return None
        return chosen(kind, {spelling(member.value): member for member in kind})
    try:
        return SIMPLE.get(kind)
    except TypeError:
        return None


def spelling(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def chosen(kind: Any, choices: Mapping[str, object]) -> Scalar:
    words = ", ".join(choices)
    message = f"must be one of {words if len(words) <= limits.DETAIL_INPUT_CHARACTERS else f'{len(choices)} choices'}"

    def convert(text: str) -> object:
        try:
            return choices[text]
        except KeyError:
            raise Refused("not-a-choice", message) from None

    return simple(kind, f"one of {words}", convert)


def ruled(scalar: Scalar, rules: Rules) -> Scalar:
    def convert(text: str) -> object:
        value = scalar.convert(text)
        problems = list(rules.broken(value))
        if problems:
            raise BrokenRules(problems)
        return value

    return simple(scalar.type, scalar.words, convert)


class BrokenRules(Refused):
    """A value of the right type that a Meta does not allow: 422 even in a path, where a wrong type is 404."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(*problems[0])
        self.problems = problems
