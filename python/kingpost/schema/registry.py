"""Which codec reads which class."""

from __future__ import annotations

from typing import Any

from kingpost.schema.codec import Codec
from kingpost.schema.kinds.native import (
    AttrsCodec,
    DataclassCodec,
    NamedTupleCodec,
    StructCodec,
    TypedDictCodec,
)
from kingpost.schema.kinds.pydantic import PydanticCodec

_registered: list[Codec] = [
    StructCodec(),
    PydanticCodec(),
    DataclassCodec(),
    TypedDictCodec(),
    AttrsCodec(),
    NamedTupleCodec(),
]


def register(codec: Codec) -> None:
    """Make a kind of classes known; the last one registered is asked first. Do it before the first route that names such a class."""
    _registered.insert(0, codec)


def unregister(codec: Codec) -> None:
    """Forget a kind of classes: what a test registered, a test takes back.

    Raises:
        ValueError: it is not registered.
    """
    _registered.remove(codec)


def codec_of(kind: Any) -> Codec | None:
    """The codec for a class, without type arguments; None where there is none."""
    return next((codec for codec in _registered if codec.accepts(kind)), None)
