"""JSON as answers carry it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, cast

import msgspec

from kingpost.schema.annotation import class_of
from kingpost.schema.codec import Codec
from kingpost.schema.markers import has_private, on_private
from kingpost.schema.outgoing.known import known_model
from kingpost.schema.outgoing.mirrors import Part
from kingpost.schema.outgoing.private import without_private
from kingpost.schema.outgoing.pydantic import dumped
from kingpost.schema.registry import codec_of
from kingpost.settings import Secret


def plain(value: Any) -> Any:
    """What msgspec does not know, as something that it knows.

    Raises:
        TypeError: JSON has no form for it.
    """
    if isinstance(value, Part):
        return value.value
    if isinstance(value, Secret):
        raise TypeError(
            "a Secret is never sent; name the fields that may be, by a return annotation"
        )
    if hasattr(value, "__html__"):
        return str(value.__html__())
    codec = codec_of(type(value))
    if codec is not None:
        return fields_of(codec, value)
    return plain_of_builtin(value)


def fields_of(codec: Codec, value: Any) -> Any:
    """An object of a class that msgspec does not know, as far as it may leave."""
    model = known_model(class_of(value))
    if codec.family == "pydantic":
        return dumped(model, value)
    private = frozenset(field.name for field in model.fields if field.private)
    return codec.outgoing(model, value, private)


def plain_of_builtin(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, AbstractSet):
        return list(cast("AbstractSet[object]", value))
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(
        f"{type(value).__name__} has no form in JSON; return a dict, a Struct or a dataclass"
    )


_encoder = msgspec.json.Encoder(enc_hook=plain)
_encode: Callable[[Any], bytes] = _encoder.encode


def encode_json(value: Any) -> bytes:
    """A value as JSON, without its private fields.

    Raises:
        TypeError: JSON has no form for it.
    """
    # Looked up anew each time: a module with private fields may be imported after Apps were compiled, and the engine keeps this function.
    return _encode(value)


def _guard() -> None:
    global _encode  # noqa: PLW0603 - private fields are of the process, and so is what guards them
    _encode = _encode_without_private


def _encode_without_private(value: Any) -> bytes:
    return _encoder.encode(without_private(value))


on_private(_guard)


def plain_json(value: Any) -> Any:
    """A value as JSON would have it: dicts with text as keys, lists, texts, numbers, booleans and None, without its private fields.

    Raises:
        TypeError: JSON has no form for it.
    """
    shown = without_private(value) if has_private() else value
    return msgspec.to_builtins(shown, str_keys=True, enc_hook=plain)
