"""Conditional requests (RFC 9110 section 13): whether the client has it already, and whether it meant this state of it.

Rule: the order of section 13.2.2. What is malformed is ignored, which costs a client its saving and never its answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Literal, Protocol, TypeAlias

from kingpost.errors import PreconditionFailed
from kingpost.http.date import parse_http_date

Verdict: TypeAlias = Literal["send", "not-modified"]

# opaque-tag: etagc is visible ASCII without the quote, and bytes from 0x80 (section 8.8.3).
_ENTITY_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_SEPARATOR = re.compile(r"[ \t,]*")


class Fields(Protocol):
    """The header fields of a request, as far as they are asked here."""

    def get(self, name: str, /) -> str | None: ...
    def get_all(self, name: str, /) -> list[str]: ...


def entity_tags(field: str) -> Iterator[tuple[bool, str]]:
    """The tags of a list, as (is weak, opaque tag), up to the first that is none."""
    position = 0
    while True:
        position = _SEPARATOR.match(field, position).end()  # type: ignore[union-attr]  # it matches nothing, too
        match = _ENTITY_TAG.match(field, position)
        if match is None:
            return
        yield match[1] is not None, match[2]
        position = match.end()


def _split(etag: str) -> tuple[bool, str]:
    is_weak = etag.startswith("W/")
    return is_weak, etag[3 if is_weak else 1 : -1]


def _matches_strongly(fields: list[str], etag: str) -> bool:
    is_weak, opaque = _split(etag)
    return (
        bool(etag)
        and not is_weak
        and any((False, opaque) in entity_tags(field) for field in fields)
    )


def _matches_weakly(fields: list[str], etag: str) -> bool:
    opaque = _split(etag)[1]
    return bool(etag) and any(opaque == tag for field in fields for _, tag in entity_tags(field))


def judge(method: str, headers: Fields, *, etag: str, modified: int | None) -> Verdict:
    """What is due to a request for something that exists and would be answered with 200.

    Args:
        method: of the request.
        headers: of the request.
        etag: with its quotes, and `W/` where it is weak; empty for none.
        modified: seconds since 1970; None where it is not known.

    Raises:
        PreconditionFailed: the client meant another state of it (code `precondition-failed`).
    """
    if_match = headers.get_all("if-match")
    if if_match:
        if "*" not in (field.strip(" \t") for field in if_match) and not _matches_strongly(
            if_match, etag
        ):
            raise PreconditionFailed("it is not what If-Match names")
    else:
        unmodified_since = parse_http_date(headers.get("if-unmodified-since"))
        if unmodified_since is not None and modified is not None and modified > unmodified_since:
            raise PreconditionFailed("it was changed after the date of If-Unmodified-Since")
    is_reading = method in ("GET", "HEAD")
    if_none_match = headers.get_all("if-none-match")
    if if_none_match:
        # "The weak comparison function": one that only reads is content with as good as the same.
        if "*" in (field.strip(" \t") for field in if_none_match) or _matches_weakly(
            if_none_match, etag
        ):
            if is_reading:
                return "not-modified"
            raise PreconditionFailed("it is what If-None-Match names")
    elif is_reading:
        modified_since = parse_http_date(headers.get("if-modified-since"))
        if modified_since is not None and modified is not None and modified <= modified_since:
            return "not-modified"
    return "send"


def wants_this_range(field: str | None, *, etag: str, modified: int | None) -> bool:
    """Whether If-Range lets a range be answered with: it is absent, or names this very state (section 13.1.5)."""
    if field is None:
        return True
    if field.startswith(('"', "W/")):
        return not etag.startswith("W/") and field == etag
    since = parse_http_date(field)
    # A date is strong where the second that it names is over (section 8.8.2.2): nothing can have happened in it since.
    return since is not None and since == modified and since < int(time.time())
