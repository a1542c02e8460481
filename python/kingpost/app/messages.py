"""The messages of a WebSocket route: its decoder and its encoder, made once, of the two types in its handler's annotation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Union, get_args

import msgspec

from kingpost.app.json import encode_json
from kingpost.app.shape import shape_of
from kingpost.binding.validate import broken_rules
from kingpost.errors import (
    BadRequest,
    ConfigurationError,
    UnsupportedMediaType,
    ValidationError,
)
from kingpost.http.media import json
from kingpost.http.websocket import Messages, wrong_kind
from kingpost.schema.annotation import bare, class_of, is_union, spelled
from kingpost.schema.decode import Decoder
from kingpost.schema.describe import type_of
from kingpost.schema.problems import Refused, field_error
from kingpost.schema.text import scalar_of

Decode = Callable[[str | bytes], Any]
Encode = Callable[[Any], str | bytes]


class MessageError(ConfigurationError):
    """A handler sends what its WebSocket is not declared to send."""

    default_code: ClassVar[str] = "websocket.wrong-message"


def messages_of(received: Any, sent: Any) -> Messages:
    """What is read and written where a handler names `WebSocket[received, sent]`.

    Raises:
        TypeError: no message becomes, or says, a value of one of them.
        NameError: an annotation names what does not exist.
    """
    return Messages(
        words=f"{spelled(received)} in, {spelled(sent)} out",
        taken=plain_kind(received),
        decode=decode_of(received),
        given=plain_kind(sent),
        encode=encode_of(sent),
        gives_json=bool(parts_of(sent)[1]),
    )


def plain_kind(annotation: Any) -> type[str | bytes] | None:
    """Str or bytes, where the messages are that and nothing else, without rules."""
    return annotation if annotation in (str, bytes) else None


def parts_of(annotation: Any) -> tuple[frozenset[type[Any]], tuple[Any, ...]]:
    """The members that are messages as they are, str and bytes, and those that are JSON.

    Raises:
        TypeError: a text could be either.
    """
    stripped = bare(annotation)
    members = get_args(stripped.type) if is_union(stripped.type) else (stripped.type,)
    plain = frozenset(each for each in members if each in (str, bytes))
    rest = tuple(each for each in members if each not in (str, bytes))
    if stripped.is_optional and plain:
        raise TypeError("None is written as JSON, and nobody could tell that from text or bytes")
    if str in plain and rest:
        raise TypeError(
            f"str is a text, and so is the JSON of {' | '.join(map(spelled, rest))}: nobody could tell them apart"
        )
    if stripped.rules and bytes in plain:
        raise TypeError("only texts and JSON have rules")
    if not rest:
        return plain, ()
    return plain, rest if plain else (annotation,)


def decode_of(annotation: Any) -> Decode:
    plain, rest = parts_of(annotation)
    if not rest:
        return ruled_decode(annotation) if bare(annotation).rules else plain_decode(plain)
    read = json_decode(Union[rest])  # noqa: UP007 - of as many as there are
    if not plain:
        return read

    def decode(message: str | bytes) -> Any:
        return message if isinstance(message, bytes) else read(message)

    return decode


def plain_decode(kinds: frozenset[type[Any]]) -> Decode:
    def decode(message: str | bytes) -> Any:
        if type(message) not in kinds:
            raise wrong_kind(str if str in kinds else bytes)
        return message

    return decode


def ruled_decode(annotation: Any) -> Decode:
    """Of texts for which the annotation has rules, such as a length."""
    scalar = scalar_of(annotation)
    if scalar is None:
        raise TypeError("no text becomes it")
    type_of(annotation, outgoing=True)
    convert = scalar.convert

    def decode(message: str | bytes) -> Any:
        if not isinstance(message, str):
            raise wrong_kind(str)
        try:
            return convert(message)
        except Refused as refused:
            raise ValidationError(
                errors=[
                    field_error(("message",), code, text, given=message)
                    for code, text in refused.problems
                ]
            ) from None

    return decode


def json_decode(annotation: Any) -> Decode:
    decoder = Decoder(annotation)
    decode_document, is_shallow = decoder.decode, decoder.is_shallow

    def decode(message: str | bytes) -> Any:
        if isinstance(message, bytes):
            raise UnsupportedMediaType(
                "binary messages are not read here; send JSON as text", code="websocket.wrong-kind"
            )
        document = message.encode()
        try:
            # What a shallow type reads cannot be too deep, and is not counted.
            return (
                decode_document(document) if is_shallow else json.decode(document, decode_document)
            )
        except Exception:  # noqa: BLE001 - looked at again, to say all that is wrong with it
            return explained(document)

    def explained(document: bytes) -> Any:
        try:
            try:
                return json.decode(document, decode_document)
            except (ValueError, TypeError) as refusal:
                value = json.decode(document)
                errors = broken_rules(decoder.type, value, refusal, ("message",))
                raise ValidationError(errors=errors) from None
        except BadRequest as error:
            words = error.detail.replace("the body", "the message", 1)
            raise BadRequest(words, code=error.code) from None

    return decode


def encode_of(annotation: Any) -> Encode:
    plain, rest = parts_of(annotation)
    if not rest:
        return plain_encode(annotation, plain)
    kind: Any = Union[rest]  # noqa: UP007 - of as many as there are
    shape = shape_of(kind)

    def encode(message: Any) -> str | bytes:
        if plain and isinstance(message, bytes):
            return message
        try:
            return encode_json(message if shape is None else shape(message)).decode()
        except (msgspec.ValidationError, TypeError) as error:
            raise wrong_message(annotation, message, str(error)) from error

    return encode


def plain_encode(annotation: Any, kinds: frozenset[type[Any]]) -> Encode:
    def encode(message: Any) -> str | bytes:
        if isinstance(message, str) and str in kinds:
            return str.__str__(message)
        if isinstance(message, bytes | bytearray | memoryview) and bytes in kinds:
            return bytes(message)  # pyright: ignore[reportUnknownArgumentType] - any format
        words = " or ".join(sorted(kind.__name__ for kind in kinds))
        raise wrong_message(annotation, message, f"it takes {words}")  # pyright: ignore[reportUnknownArgumentType] - the same

    return encode


def wrong_message(annotation: Any, message: object, why: str) -> MessageError:
    return MessageError(
        f"sent {spelled(class_of(message))}, and the WebSocket is annotated to send {spelled(annotation)}: {why}",
        remedy=f"send {spelled(annotation)}, or write WebSocket[…, {spelled(class_of(message))}]",
    )
