"""What the engine's router makes of a pattern, said again for those patterns that more than one route shares.

Rule 1: two patterns have one shape where the router could not tell them apart: names of parameters and custom converters count for nothing.
Rule 2: of the patterns that match one path, the router asks the one with the smallest `order` first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

import msgspec

PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}", re.ASCII)
SYNTAXES = ("uuid", "date", "int", "float", "slug")
"""The engine's, the strictest first; all others take any segment."""

Segment = tuple[int, int, int, int, bytes, bytes]


class Shape(msgspec.Struct, frozen=True):
    """A pattern in the words of the engine's router, segment by segment; equal where the router sees no difference."""

    segments: tuple[Segment, ...]

    @property
    def order(self) -> tuple[tuple[int, ...], ...]:
        return tuple(segment[:4] for segment in self.segments)

    def overlaps(self, other: Shape) -> bool:
        """Whether some path may match both. What parameters accept is not looked at: it says yes too often rather than too rarely."""
        for one, two in zip(self.segments, other.segments, strict=False):
            if REST in (one[0], two[0]):
                return True
            if one[0] == two[0] == LITERAL and one != two:
                return False
        return len(self.segments) == len(other.segments)


LITERAL, AFFIXED, WHOLE, REST = range(4)


def shape_of(native_pattern: str) -> Shape:
    """The shape of a pattern that was written for the engine's router."""
    return Shape(tuple(map(segment_of, native_pattern.split("/")[1:])))


def segment_of(text: str) -> Segment:
    parameter = PARAMETER.search(text)
    if parameter is None:
        return LITERAL, 0, 0, 0, unquote_to_bytes(text), b""
    prefix = unquote_to_bytes(text[: parameter.start()])
    suffix = unquote_to_bytes(text[parameter.end() :])
    kind = parameter[2]
    syntax = SYNTAXES.index(kind) if kind in SYNTAXES else len(SYNTAXES)
    if kind == "path":
        return REST, 0, 0, 0, b"", b""
    if prefix or suffix:
        return AFFIXED, -len(prefix) - len(suffix), -len(prefix), syntax, prefix, suffix
    return WHOLE, syntax, 0, 0, b"", b""


def renamed(native_pattern: str) -> str:
    """The pattern with parameters called by their number, so that no name of one route stands for another's parameter."""
    numbers = iter(range(len(native_pattern)))

    def rename(parameter: re.Match[str]) -> str:
        kind = "" if parameter[2] is None else f":{parameter[2]}"
        return f"{{p{next(numbers):03}{kind}}}"

    return PARAMETER.sub(rename, native_pattern)


def in_order(params: Sequence[tuple[str, str]]) -> list[str]:
    """The values of parameters that were called by their number."""
    return [value for _, value in sorted(params)]
