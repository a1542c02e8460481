"""What the client wants to get: the Accept field with its weights (RFC 9110 section 12.5.1).

Linear and bounded: at most 64 ranges of a field are read, and a malformed one is skipped, never an error: an Accept is a wish.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kingpost import limits
from kingpost.http.media_type import MediaType, split_outside_quotes


class MediaRange(NamedTuple):
    """One wish: a media type, where `*` stands for any, and how much it is wanted.

    Attributes:
        media_type: What is wanted; `type` or `subtype` may be "*". Its parameters end before `q`.
        weight: 0 (not at all) to 1.
    """

    media_type: MediaType
    weight: float

    def precedence(self, offer: MediaType) -> int:
        """How closely it names `offer`: 0 not at all, 1 `*/*`, 2 `type/*`, 3 exactly, more with each parameter that agrees."""
        wanted = self.media_type
        if wanted.type == "*":
            return 1
        if wanted.type != offer.type:
            return 0
        if wanted.subtype == "*":
            return 2
        if wanted.subtype != offer.subtype:
            return 0
        if any(
            offer.parameters.get(name, "").lower() != value.lower()
            for name, value in wanted.parameters.items()
        ):
            return 0
        return 3 + len(wanted.parameters)


def parse_accept(field: str | None) -> list[MediaRange]:
    """The ranges of an Accept field in the order written; an absent or empty field wants anything."""
    if not field or not field.strip(" \t,"):
        return [MediaRange(MediaType("*", "*", {}), 1.0)]
    ranges: list[MediaRange] = []
    for piece in split_outside_quotes(field, ",")[: limits.ACCEPT_RANGES]:
        parsed = MediaType.parse(piece.strip(" \t"))
        if parsed is None or (parsed.type == "*" and parsed.subtype != "*"):
            continue
        parameters = dict(parsed.parameters)
        weight = qvalue(parameters.pop("q", "1"))
        if weight is not None:
            ranges.append(MediaRange(MediaType(parsed.type, parsed.subtype, parameters), weight))
    return ranges


def best_match(field: str | None, offers: Sequence[str]) -> str | None:
    """Which of `offers` the client wants most; the earlier of two that are wanted alike; None when none is acceptable.

    Args:
        field: The Accept field, or None when there is none.
        offers: Media types that we can make, the one we prefer first.

    Example:
        >>> best_match("application/json;q=0.5, text/*", ["application/json", "text/csv"])
        'text/csv'
    """
    best: str | None = None
    best_weight = 0.0
    for offer in offers:
        weight = weight_of(field, offer)
        if weight > best_weight:
            best, best_weight = offer, weight
    return best


def prefers_html(field: str | None) -> bool:
    """Whether a person looks at the answer: HTML is named (`*/*` is not enough) and no JSON is named with a higher weight."""
    if field is None or "html" not in field.lower():
        return False
    ranges = parse_accept(field)
    html = max((wish.weight for wish in ranges if wish.media_type.essence in _HTML), default=0.0)
    json = max((wish.weight for wish in ranges if wish.media_type.is_json), default=0.0)
    return html > 0 and html >= json


def weight_of(field: str | None, offer: str) -> float:
    """How much the client wants a media type that we can make: 0 (not at all) to 1.

    Args:
        field: The Accept field, or None when there is none.
        offer: The media type, as type/subtype.
    """
    if field is None or len(field) > _REMEMBERED:
        return _weight_of(offer, parse_accept(field))
    return _remembered(field, offer)


_REMEMBERED = 256
"""Bytes of a field that is worth remembering: browsers send the same few again and again."""


@functools.lru_cache(maxsize=512)
def _remembered(field: str, offer: str) -> float:
    return _weight_of(offer, parse_accept(field))


_HTML = frozenset({"text/html", "application/xhtml+xml"})


def _weight_of(offer: str, ranges: Sequence[MediaRange]) -> float:
    media_type = MediaType.parse(offer)
    if media_type is None:
        raise ValueError(f"offer {offer!r} is no media type: write it as type/subtype")
    # "the most specific reference has precedence": a q=0 on text/html counts although */* is wanted.
    closest, weight = 0, 0.0
    for wish in ranges:
        precedence = wish.precedence(media_type)
        if precedence > closest:
            closest, weight = precedence, wish.weight
    return weight


_DIGITS: Mapping[str, None] = dict.fromkeys("0123456789")


def qvalue(text: str) -> float | None:
    """A qvalue: 0 to 1 with at most three decimals; None when it is none (float() would take "nan", "1e9" and digits of any script)."""
    whole, point, decimals = text.partition(".")
    if (
        whole not in ("0", "1")
        or len(decimals) > 3
        or not all(digit in _DIGITS for digit in decimals)
    ):
        return None
    weight = float(f"{whole}.{decimals or '0'}") if point else float(whole)
    return weight if weight <= 1.0 else None
