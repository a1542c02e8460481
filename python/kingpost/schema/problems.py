"""What an input can get wrong: the codes, their sentences, and how one mistake is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kingpost.errors import FieldError

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
    "invalid": "is not valid",
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


class Invalid(ValueError):
    """A rule of your own is broken. Raise it where the object is checked: `__post_init__`, a validator, a function of `check`.

    A plain ValueError does as well; this one can say which field is meant, and has a code of its own.

    Args:
        message: One sentence for the person who sent the value; it is shown in production too.
        *path: The way to the value, from the object that is checked: names of fields as the class spells them, indexes of lists.
            Without one the object itself is meant.
        code: A stable slug for machines.

    Example:
        >>> raise Invalid("must not be before start", "end", code="before-start")
        Traceback (most recent call last):
        kingpost.schema.problems.Invalid: must not be before start
    """

    def __init__(self, message: str, *path: str | int, code: str = "invalid") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.code = code


_NOTHING: Final = object()


def field_error(
    location: Location, code: str, message: str = "", given: object = _NOTHING
) -> FieldError:
    """One broken rule, and what was given."""
    error: FieldError = {"location": location, "code": code, "message": message or SENTENCES[code]}
    if given is not _NOTHING:
        error["input"] = given
    return error
