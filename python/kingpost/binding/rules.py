"""The rules that `Meta` puts on a value: bounds, lengths, patterns. Every broken one is told, not the first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Sized
from typing import Any

import msgspec


class Rules(msgspec.Struct, frozen=True):
    """What msgspec's types and `Meta` call by the same names; None where there is no such rule."""

    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    multiple_of: float | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None

    @classmethod
    def of(cls, described: object) -> Rules:
        """The rules of a `Meta` or of one of `msgspec.inspect`'s types."""
        return cls(**{name: getattr(described, name, None) for name in cls.__struct_fields__})

    @classmethod
    def joined(cls, metas: Sequence[msgspec.Meta]) -> Rules:
        """The rules of several Metas; the outermost that says something wins."""
        merged: dict[str, Any] = {}
        for meta in metas:
            merged.update(
                {
                    name: getattr(meta, name)
                    for name in cls.__struct_fields__
                    if getattr(meta, name) is not None
                }
            )
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
        unit = "characters" if isinstance(value, str) else "items"
        if self.min_length is not None and len(value) < self.min_length:
            yield "too-short", f"must have {self.min_length} {unit} or more"
        if self.max_length is not None and len(value) > self.max_length:
            yield "too-long", f"must have {self.max_length} {unit} or fewer"
