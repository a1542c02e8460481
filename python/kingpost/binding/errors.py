"""Refusals: of inputs, with the codes of `kingpost.schema`, and of signatures, at start-up."""

from __future__ import annotations

from collections.abc import Iterable

from kingpost.errors import SignatureError
from kingpost.schema.problems import MAX_ERRORS, SENTENCES, Location, Refused, field_error
from kingpost.types import Place

__all__ = [
    "MAX_ERRORS",
    "SENTENCES",
    "Location",
    "Refused",
    "field_error",
    "signature_refused",
]


def signature_refused(
    code: str, message: str, remedies: Iterable[str], places: Iterable[Place]
) -> SignatureError:
    """The error for a parameter that cannot be served, with the spellings that could."""
    return SignatureError(message, code=code, remedy="; or ".join(remedies), places=tuple(places))
