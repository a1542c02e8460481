"""JSON as answers carry it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, cast

import msgspec

from kingpost.settings import Secret


def plain(value: Any) -> Any:
    """What msgspec does not know, as something that it knows.

    Raises:
        TypeError: JSON has no form for it.
    """
    if isinstance(value, Secret):
        raise TypeError(
            "a Secret is never sent; name the fields that may be, by a return annotation"
        )
    if hasattr(value, "__html__"):
        return str(value.__html__())
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, AbstractSet):
        return list(cast("AbstractSet[object]", value))
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(
        f"{type(value).__name__} has no form in JSON; return a dict, a Struct or a dataclass"
    )


encode_json = msgspec.json.Encoder(enc_hook=plain).encode
