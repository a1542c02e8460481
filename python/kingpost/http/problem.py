"""Errors as machines read them: application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from kingpost import limits
from kingpost.errors import FieldError, HTTPError, ValidationError

PROBLEM_JSON: Final = "application/problem+json"


def problem(error: HTTPError) -> dict[str, Any]:
    """The members of the problem: `type title status code`, `detail` when there is one, `errors` of a ValidationError.

    `type` is "about:blank": the status says what kind of problem it is, `code` tells ours apart (RFC 9457 section 4.2.1).
    """
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "code": error.code,
    }
    if error.detail:
        members["detail"] = error.detail
    if isinstance(error, ValidationError):
        members["errors"] = [_entry(entry) for entry in error.errors]
    return members


def problem_json(error: HTTPError) -> bytes:
    """The problem as the body of an answer of type `application/problem+json`."""
    return encode_problem(problem(error))


def encode_problem(members: dict[str, Any]) -> bytes:
    """The body for the members of a problem."""
    try:
        return msgspec.json.encode(members)
    except UnicodeEncodeError:
        # A lone surrogate in a detail has no bytes: the answer goes out without it.
        return msgspec.json.encode(_encodable(members))


def _entry(entry: FieldError) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "location": list(entry["location"]),
        "code": entry["code"],
        "message": entry["message"],
    }
    if "input" in entry:
        shown["input"] = bounded_input(entry["input"])
    return shown


def bounded_input(value: object) -> object:
    """`value` as it can stand in an answer: numbers, booleans, None and short text as they are; anything else as text, cut at 200."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else _text(value)
    if len(text) <= limits.DETAIL_INPUT_CHARACTERS:
        return text
    return text[: limits.DETAIL_INPUT_CHARACTERS] + "…"


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {name: _encodable(item) for name, item in items}
    if isinstance(value, list):
        return [_encodable(item) for item in cast("list[object]", value)]
    return value


def _text(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        # Whatever a user's type does when it is encoded, the client still gets told what was wrong.
        return f"<{type(value).__name__}>"
