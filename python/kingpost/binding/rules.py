"""The rules of a parameter: those of `kingpost.schema`."""

from __future__ import annotations

from kingpost.schema.rules import Rules

__all__ = ["Rules"]
