"""The rules that an input can break, each with its code and its sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from kingpost.errors import FieldError, SignatureError
from kingpost.types import Place

Location = tuple[str | int, ...]

MAX_ERRORS: Final = 100
"""Errors told of one request; a list of 10,000 wrong items is no reason for an answer larger than the question."""

SENTENCES: Mapping[str, str] = {
    "missing": "is required",
    "repeated": "is given more than once",
    "not-an-integer": "must be a whole number in digits",
    "not-a-number": "must be a number",
    "not-a-boolean": "must be true or false",
    "not-text": "must be text",
    "not-a-uuid": "must be a UUID such as 123e4567-e89b-12d3-a456-426614174000",
    "not-a-date": "must be a date such as 2026-03-31",
    "not-a-datetime": "must be a date and time such as 2026-03-31T12:00:00Z",
    "not-a-time": "must be a time such as 12:00:00",
    "not-a-duration": "must be a duration such as P1DT2H",
    "not-a-decimal": "must be a decimal number such as 12.50",
    "not-null": "must be null",
    "not-an-object": "must be an object",
    "not-a-list": "must be a list",
    "not-base64": "must be bytes in base64",
    "unknown-field": "is not known here",
}
"""Codes whose sentence says all. The others (`not-a-choice`, `too-small`, …) name a bound or the choices."""


class Refused(ValueError):
    """A text that is no value of its type, or breaks a rule.

    Attributes:
        problems: (code, message) of each rule that it breaks.
    """

    def __init__(self, code: str, message: str = "") -> None:
        self.problems: list[tuple[str, str]] = [(code, message or SENTENCES[code])]
        super().__init__(code)


_NOTHING: Final = object()


def field_error(
    location: Location, code: str, message: str = "", given: object = _NOTHING
) -> FieldError:
    """One broken rule, and what was given."""
    error: FieldError = {"location": location, "code": code, "message": message or SENTENCES[code]}
    if given is not _NOTHING:
        error["input"] = given
    return error


def signature_refused(
    code: str, message: str, remedies: Iterable[str], places: Iterable[Place]
) -> SignatureError:
    """The error for a parameter that cannot be served, with the spellings that could."""
    return SignatureError(message, code=code, remedy="; or ".join(remedies), places=tuple(places))
