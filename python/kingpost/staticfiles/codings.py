"""Precompressed variants: which of those that lie beside a file the client takes (RFC 9110 section 12.5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

SUFFIXES: Final[Mapping[str, str]] = MappingProxyType({"br": ".br", "zstd": ".zst", "gzip": ".gz"})
"""Content codings and how the names of files in them end."""

_MOST = 32
"""Elements of an Accept-Encoding that are looked at."""


@lru_cache(maxsize=256)
def wanted(field: str) -> Mapping[str, float]:
    """The codings that an Accept-Encoding field takes, with their weights; those with weight 0 too, and `*`."""
    weights: dict[str, float] = {}
    for piece in field.split(",", _MOST)[:_MOST]:
        coding, _, parameter = piece.partition(";")
        name, _, value = parameter.partition("=")
        weight = 1.0
        if name.strip(" \t").lower() == "q":
            weight = _weight(value.strip(" \t"))
        # x-gzip is the same (section 8.4.1.3).
        weights.setdefault(coding.strip(" \t").lower().removeprefix("x-"), weight)
    return weights


def _weight(text: str) -> float:
    whole, _, decimals = text.partition(".")
    if whole not in ("0", "1") or not (decimals + "0").isdecimal():
        return 0.0
    return min(float(f"{whole}.{decimals or '0'}"), 1.0)


def best(field: str | None, sizes: Mapping[str, int]) -> str | None:
    """The coding to answer in: of those that are wanted most, the smallest; None for the file as it is.

    Args:
        field: Accept-Encoding, or None where there is none.
        sizes: how large the file is in each coding that there is.
    """
    if not field:
        return None
    weights = wanted(field)
    other = weights.get("*", 0.0)
    found: str | None = None
    found_rank = (weights.get("identity", 0.0), 0)
    for coding, size in sizes.items():
        weight = weights.get(coding, other)
        rank = (weight, -size)
        if weight > 0 and (rank > found_rank or (found is None and weight >= found_rank[0])):
            found, found_rank = coding, rank
    return found
