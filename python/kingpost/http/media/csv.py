"""CSV (RFC 4180): rows for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import msgspec

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that spreadsheets take for a formula."""


class Csv:
    """Writes lists as CSV: a line with the names of the fields, and one for each item.

    Values inside of values are written as JSON; None is nothing.

    Args:
        columns: The names of the fields, in this order; those of the items, in the order in which they come, if not said. Then an empty list is
            an empty file.
        spreadsheet: For people who open it: a text that a spreadsheet would run as a formula gets an apostrophe in front. Programs that read
            the file would have to take it away.
    """

    media_type = "text/csv; charset=utf-8"
    extension = "csv"

    def __init__(self, *, columns: Sequence[str] = (), spreadsheet: bool = False) -> None:
        self.columns = tuple(columns)
        self.spreadsheet = spreadsheet

    def encode(self, value: Any, /) -> bytes:
        """The bytes of a list of objects.

        Raises:
            TypeError: It is none.
        """
        if not isinstance(value, list):
            raise TypeError("CSV has rows: return a list of objects")
        rows = cast("list[object]", value)
        if not all(isinstance(row, Mapping) for row in rows):
            raise TypeError("a row of CSV has named fields: return a list of objects")
        entries = cast("list[Mapping[str, object]]", rows)
        names = self.columns or tuple(dict.fromkeys(name for row in entries for name in row))
        written = io.StringIO()
        writer = csv.writer(written)
        if names:
            writer.writerow(map(self._text, names))
        for row in entries:
            writer.writerow([self._cell(row.get(name)) for name in names])
        return written.getvalue().encode()

    def _cell(self, value: object) -> object:
        if isinstance(value, str):
            return self._text(value)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        return msgspec.json.encode(value).decode()

    def _text(self, text: str) -> str:
        return f"'{text}" if self.spreadsheet and text.startswith(FORMULA) else text
