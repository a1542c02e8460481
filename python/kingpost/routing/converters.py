"""Converters turn the text of a path parameter into a value, and the value back into text for `url_for`.

`convert` raises ValueError for text that is none of its own: the answer is 404, as for any other path that leads nowhere.
`format` raises TypeError or ValueError for a value that has no place in a path.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, get_type_hints

T = TypeVar("T")

MAX_DIGITS = 4300
MAX_MATCHED = 255
INTEGER = re.compile(rf"-?[0-9]{{1,{MAX_DIGITS}}}", re.ASCII)
FLOAT = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]{1,400})?", re.ASCII)
SLUG = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Converter(Protocol[T]):
    """What a path converter does. A class with these two methods is given to `App(converters={"name": ThatClass})`.

    A pattern such as `{month:date(%Y-%m)}` calls the class with the text between the parentheses.
    """

    def convert(self, text: str, /) -> T:
        """The value that percent-decoded `text` stands for; ValueError where it stands for none."""
        ...

    def format(self, value: T, /) -> str:
        """The text for `value`, not percent-encoded."""
        ...


ConverterClass = Callable[..., Converter[Any]]
Converters = Mapping[str, ConverterClass]


class StrConverter:
    """Any text without a slash and without NUL, however they are encoded; never empty. The router has looked."""

    def convert(self, text: str, /) -> str:
        return text

    def format(self, value: str, /) -> str:
        return of_type(value, str)


class PathConverter(StrConverter):
    """The rest of the path, slashes included. Must stand last in its pattern."""


class IntConverter:
    """ASCII digits with an optional minus sign, at most 4,300 of them."""

    def convert(self, text: str, /) -> int:
        return int(matched(INTEGER, text))

    def format(self, value: int, /) -> str:
        return str(of_type(value, int))


class FloatConverter:
    """Digits with an optional minus sign and fraction; no exponent, no `nan`, no `inf`."""

    def convert(self, text: str, /) -> float:
        return float(matched(FLOAT, text))

    def format(self, value: float, /) -> str:
        if isinstance(value, int):
            return str(of_type(value, int))
        return matched(FLOAT, format(of_type(value, float), "f"))


class SlugConverter:
    """ASCII letters, digits, hyphens and underscores."""

    def convert(self, text: str, /) -> str:
        return matched(SLUG, text)

    def format(self, value: str, /) -> str:
        return matched(SLUG, of_type(value, str))


class UuidConverter:
    """A UUID in its usual form, 8-4-4-4-12 hexadecimal digits."""

    def convert(self, text: str, /) -> uuid.UUID:
        return uuid.UUID(matched(UUID, text))

    def format(self, value: uuid.UUID, /) -> str:
        return str(of_type(value, uuid.UUID))


class DateConverter:
    """A date as `2026-03-31`, or in the form that the pattern gives: `{month:date(%Y-%m)}`."""

    def __init__(self, form: str = "") -> None:
        self.form = form

    def convert(self, text: str, /) -> dt.date:
        if not self.form:
            return dt.date.fromisoformat(matched(DATE, text))
        value = dt.datetime.strptime(text, self.form).date()  # noqa: DTZ007 - a date has no zone
        if value.strftime(self.form) != text:
            # strptime takes "2026-3" for "%Y-%m"; one date has one address.
            raise ValueError(text)
        return value

    def format(self, value: dt.date, /) -> str:
        day = of_type(value, dt.date)
        # strftime does not pad years below 1000 on every system.
        return day.strftime(self.form) if self.form else day.isoformat()[:10]


class RegexConverter:
    """One segment that a regular expression matches as a whole: `{code:regex([A-Z]{3})}`.

    The text comes from the client: write no nested repetition, which takes its time to fail. Of texts beyond 255 characters none matches.

    Raises:
        TypeError: the expression is missing, or is none.
    """

    def __init__(self, form: str) -> None:
        try:
            self.form = re.compile(form)
        except re.error as error:
            raise TypeError(f"{form!r} is no regular expression: {error}") from error

    def convert(self, text: str, /) -> str:
        if len(text) > MAX_MATCHED:
            raise ValueError(text[:100])
        return matched(self.form, text)

    def format(self, value: str, /) -> str:
        return self.convert(of_type(value, str))


BUILT_IN: Converters = MappingProxyType(
    {
        "str": StrConverter,
        "int": IntConverter,
        "float": FloatConverter,
        "slug": SlugConverter,
        "uuid": UuidConverter,
        "date": DateConverter,
        "path": PathConverter,
        "regex": RegexConverter,
    }
)
"""The converters that every App has."""


def value_type(converter: Converter[Any]) -> object:
    """The type that `convert` says it returns; `Any` where it does not say."""
    try:
        return get_type_hints(converter.convert).get("return", Any)
    except NameError:
        return Any


def matched(form: re.Pattern[str], text: str) -> str:
    if form.fullmatch(text) is None:
        raise ValueError(text[:100])
    return text


def of_type(value: T, kind: type[T]) -> T:
    """`value`, when it is a `kind`; a bool is no number here, though Python says so."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
