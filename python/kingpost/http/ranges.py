"""Ranges of bytes (RFC 9110 section 14): what of a file is wanted.

Rule: bounded and linear. A field of more than `limits.RANGES` ranges is ignored, as section 14.2 allows, so the whole is sent; ranges that
overlap, or lie closer together than the head of a part is long, are sent as one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kingpost import limits
from kingpost.errors import HTTPError

_RANGE = re.compile(r"(?!-$)(\d*)-(\d*)", re.ASCII)
_MOST_DIGITS = 18
_PART_HEAD = 80
"""Bytes, about, that a part of a multipart answer costs beside its content."""


class Stretch(NamedTuple):
    """A stretch of a file, in bytes."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The place behind its last byte."""
        return self.offset + self.length

    def content_range(self, size: int) -> str:
        """The value of Content-Range in a file of `size` bytes."""
        return f"bytes {self.offset}-{self.end - 1}/{size}"


def parse_range(field: str | None, size: int) -> list[Stretch] | None:
    """The stretches that a Range field asks for in a file of `size` bytes; None where the whole is to be sent.

    In the order asked for, unless some had to be joined; then in the order of the file. Of an empty file the whole is sent.

    Raises:
        HTTPError: 416 where none of them is in the file (code `range-not-satisfiable`).
    """
    asked = _asked(field) if field is not None and size else None
    if not asked:
        return None
    found = [
        stretch for first, last in asked if (stretch := _in_file(first, last, size)) is not None
    ]
    if not found:
        raise HTTPError(
            f"there are {size} bytes, and none of what was asked for is among them",
            status=416,
            code="range-not-satisfiable",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return _joined(found)


def _asked(field: str) -> list[tuple[str, str]] | None:
    """First and last position of each range, as digits, one of them perhaps empty; None for a field that is to be ignored."""
    unit, _, ranges = field.partition("=")
    pieces = ranges.split(",", limits.RANGES)
    if unit.strip(" \t").lower() != "bytes" or len(pieces) > limits.RANGES:
        return None
    asked: list[tuple[str, str]] = []
    for piece in pieces:
        text = piece.strip(" \t")
        if not text:
            # An empty element of a list is no element (section 5.6.1).
            continue
        match = _RANGE.fullmatch(text)
        if match is None or (match[1] and match[2] and _number(match[2]) < _number(match[1])):
            return None
        asked.append((match[1], match[2]))
    return asked


def _number(digits: str) -> int:
    # A number that long lies behind the end of every file.
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _in_file(first: str, last: str, size: int) -> Stretch | None:
    if not first:
        length = min(_number(last), size)
        return Stretch(size - length, length) if length else None
    start = _number(first)
    if start >= size:
        return None
    end = min(_number(last), size - 1) if last else size - 1
    return Stretch(start, end - start + 1)


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    in_order = sorted(stretches)
    joined = [in_order[0]]
    for stretch in in_order[1:]:
        before = joined[-1]
        if stretch.offset <= before.end + _PART_HEAD:
            joined[-1] = Stretch(before.offset, max(before.end, stretch.end) - before.offset)
        else:
            joined.append(stretch)
    return list(stretches) if len(joined) == len(stretches) else joined
