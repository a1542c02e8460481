"""Scalars of paths, queries and headers, read from text by `kingpost.schema`."""

from __future__ import annotations

from kingpost.schema.text import BrokenRules, Scalar, ruled, scalar_of, spelling

__all__ = ["BrokenRules", "Scalar", "ruled", "scalar_of", "spelling"]
