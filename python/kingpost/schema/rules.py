"""The rules that metadata puts on a value: bounds, lengths, patterns. Every broken one is told, not the first."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, cast

import msgspec


class Rules(msgspec.Struct, frozen=True):
    """The rules of a value, by the names that msgspec's Meta gives them; None where there is no such rule.

    Attributes:
        gt: the value is more than this.
        ge: the value is this or more.
        lt: the value is less than this.
        le: the value is this or less.
        multiple_of: the value is a multiple of this.
        pattern: a regular expression that is found somewhere in the text.
        min_length: characters, items or members, at least.
        max_length: characters, items or members, at most.
        tz: True for a date and time, or a time, that must have a time zone; False for one that must have none.
    """

    gt: Any = None
    ge: Any = None
    lt: Any = None
    le: Any = None
    multiple_of: Any = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    tz: bool | None = None

    def __bool__(self) -> bool:
        return self != NO_RULES

    @classmethod
    def of(cls, described: object) -> Rules:
        """The rules that an object has as attributes: a Meta, one of msgspec.inspect's types, a constraint of annotated-types."""
        return cls(**{name: getattr(described, name, None) for name in cls.__struct_fields__})

    @classmethod
    def joined(cls, metas: Iterable[object]) -> Rules:
        """The rules of several objects; the outermost that says something wins."""
        merged: dict[str, Any] = {}
        for meta in metas:
            for name in cls.__struct_fields__:
                value = getattr(meta, name, None)
                if value is not None:
                    merged[name] = value
        return cls(**merged)

    def broken(self, value: Any) -> Iterator[tuple[str, str]]:
        """(code, message) of each rule that `value` breaks."""
        if isinstance(value, Sized):
            yield from self._lengths(value)
        else:
            yield from self._bounds(value)
        if (
            self.pattern is not None
            and isinstance(value, str)
            and not re.search(self.pattern, value)
        ):
            yield "wrong-pattern", f"must match the pattern {self.pattern}"
        if self.tz is not None and isinstance(value, dt.datetime | dt.time):
            yield from self._zone(value)

    def _bounds(self, value: Any) -> Iterator[tuple[str, str]]:
        if self.gt is not None and not value > self.gt:
            yield "too-small", f"must be more than {self.gt}"
        if self.ge is not None and not value >= self.ge:
            yield "too-small", f"must be {self.ge} or more"
        if self.lt is not None and not value < self.lt:
            yield "too-large", f"must be less than {self.lt}"
        if self.le is not None and not value <= self.le:
            yield "too-large", f"must be {self.le} or less"
        if self.multiple_of is not None and value % self.multiple_of != 0:
            yield "not-a-multiple", f"must be a multiple of {self.multiple_of}"

    def _lengths(self, value: Sized) -> Iterator[tuple[str, str]]:
        unit = "character" if isinstance(value, str) else "item"
        if self.min_length is not None and len(value) < self.min_length:
            yield "too-short", f"must have {counted(self.min_length, unit)} or more"
        if self.max_length is not None and len(value) > self.max_length:
            yield "too-long", f"must have {counted(self.max_length, unit)} or fewer"

    def _zone(self, value: dt.datetime | dt.time) -> Iterator[tuple[str, str]]:
        if self.tz and value.tzinfo is None:
            yield "no-timezone", "must have a time zone such as Z or +02:00"
        elif not self.tz and value.tzinfo is not None:
            yield "with-timezone", "must have no time zone"


def counted(number: int, unit: str) -> str:
    """`1 item`, `2 items`."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


NO_RULES = Rules()


def metas_in(metadata: Sequence[object]) -> list[object]:
    """What may hold rules in the metadata of an `Annotated`: msgspec's Meta, constraints of annotated-types, pydantic's Field.

    They are told by their attributes; nothing is imported for them.
    """
    found: list[object] = []
    for item in metadata:
        inner: object = getattr(item, "metadata", None)
        if isinstance(inner, list):
            # pydantic's FieldInfo keeps its constraints in a list.
            found += metas_in(cast("list[object]", inner))
        elif isinstance(item, msgspec.Meta) or is_constraint(item):
            found.append(item)
        elif type(item).__module__.startswith("annotated_types") and isinstance(item, Iterable):
            # annotated-types' Interval and Len are groups of constraints.
            found += metas_in(list(cast("Iterable[object]", item)))
    return found


def is_constraint(item: object) -> bool:
    """Whether an object that is no Meta says a rule: it is of annotated-types or pydantic, and has an attribute of its name."""
    package = type(item).__module__.partition(".")[0]
    return package in ("annotated_types", "pydantic") and any(
        getattr(item, name, None) is not None for name in Rules.__struct_fields__
    )
