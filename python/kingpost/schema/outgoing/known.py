"""Descriptions of what is sent."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any, cast

import msgspec

from kingpost.schema.describe import type_of
from kingpost.schema.model import Model, models_in
from kingpost.schema.types import ModelType

PLAIN = (type(None), bool, int, float, str, bytes)
CONTAINERS = (list, tuple, set, frozenset)


def model_of(kind: Any) -> Model:
    """The description of a class, of which parts may be no JSON."""
    return cast("ModelType", type_of(kind, outgoing=True)).model


def known_model(cls: type[Any]) -> Model:
    """The description of the class of a value that is being sent; the 1,024 last used are remembered."""
    remembered: Callable[[Any], Model] = _remembered
    return remembered(cls)


@functools.lru_cache(maxsize=1024)
def _remembered(cls: Hashable) -> Model:
    return model_of(cls)


def is_simple(model: Model) -> bool:
    """Whether msgspec sends an object with all its parts as it should be sent."""
    return all(
        each.codec.family == "msgspec" and not any(field.private for field in each.fields)
        for each in models_in(model.type)
    )


def is_converted(kind: Any) -> bool:
    """Whether msgspec can convert to a type: it cannot tell all members of all unions apart."""
    try:
        msgspec.json.Decoder(kind)
    except TypeError:
        return False
    return True
