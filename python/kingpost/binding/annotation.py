"""The annotation of a parameter, taken apart by `kingpost.schema`."""

from __future__ import annotations

from kingpost.schema.annotation import (
    LISTS,
    Bare,
    bare,
    class_of,
    is_model_class,
    is_union,
    list_of,
    spelled,
    without_none,
)

__all__ = [
    "LISTS",
    "Bare",
    "bare",
    "class_of",
    "is_model_class",
    "is_union",
    "list_of",
    "spelled",
    "without_none",
]
