"""Media types such as `text/html; charset=utf-8` (RFC 9110 section 8.3.1).

Parsing goes through the field once, from left to right, without regular expressions that go back: a Content-Type is written by the
client (CVE-2024-24762).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kingpost import limits

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
"""What an HTML form is sent as."""
# RFC 9110 section 5.6.2: tchar.
TOKEN_CHARACTERS = frozenset(
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)


def is_token(text: str) -> bool:
    """Whether `text` is a token of RFC 9110: one or more tchar."""
    return bool(text) and TOKEN_CHARACTERS.issuperset(text)


class MediaType(NamedTuple):
    """A parsed media type.

    Attributes:
        type: Before the slash, lower-case: "text".
        subtype: After the slash, lower-case: "html".
        parameters: Names lower-case, values as they were written, without their quotes.
    """

    type: str
    subtype: str
    parameters: Mapping[str, str]

    @property
    def essence(self) -> str:
        """Type and subtype without parameters: "text/html"."""
        return f"{self.type}/{self.subtype}"

    @property
    def is_json(self) -> bool:
        """Whether it is `application/json` or has the suffix `+json` (RFC 6839)."""
        return self.essence == "application/json" or (
            self.type == "application" and self.subtype.endswith("+json")
        )

    @classmethod
    def parse(cls, field: str | None) -> MediaType | None:
        """The media type that a Content-Type names; None when it is absent, malformed or longer than 1 KiB."""
        if not field or len(field) > limits.MEDIA_TYPE_BYTES:
            return None
        essence, *rest = split_outside_quotes(field, ";")
        type_, slash, subtype = essence.strip(" \t").partition("/")
        if not slash or not is_token(type_) or not is_token(subtype):
            return None
        parameters: dict[str, str] = {}
        for piece in rest:
            name, _, value = piece.strip(" \t").partition("=")
            if is_token(name):
                # The first one wins: a later duplicate must not change what a stricter reader saw.
                parameters.setdefault(name.lower(), unquote(value))
        return cls(type_.lower(), subtype.lower(), parameters)


def split_outside_quotes(field: str, separator: str) -> list[str]:
    """`field` cut at every `separator` that stands outside a quoted string; linear."""
    if '"' not in field:
        return field.split(separator)
    pieces: list[str] = []
    start = 0
    quoted = escaped = False
    for index, character in enumerate(field):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            pieces.append(field[start:index])
            start = index + 1
    pieces.append(field[start:])
    return pieces


def unquote(value: str) -> str:
    """A parameter's value without the quotes and backslashes of RFC 9110 section 5.6.4."""
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    inner = value[1:-1]
    if "\\" not in inner:
        return inner
    plain: list[str] = []
    escaped = False
    for character in inner:
        if character == "\\" and not escaped:
            escaped = True
        else:
            plain.append(character)
            escaped = False
    return "".join(plain)
