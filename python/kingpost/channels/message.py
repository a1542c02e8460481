"""A message between processes: a byte that says what it is, and the text, the bytes or the JSON as a WebSocket sends it.

It is encoded once, where it is published; every socket is sent the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Union

from kingpost import limits
from kingpost.app.json import encode_json
from kingpost.app.messages import json_decode, parts_of
from kingpost.errors import HTTPError

TEXT, BINARY, JSON = b"t", b"b", b"j"
WORDS: Final = {TEXT: "a text", BINARY: "bytes", JSON: "JSON"}

Read = Callable[[bytes], Any]


def packed(value: object) -> bytes:
    """What is published, as bytes.

    Raises:
        TypeError: JSON has no form for it.
        ValueError: it is larger than `limits.CHANNEL_MESSAGE_BYTES`.
    """
    if isinstance(value, str):
        message = TEXT + value.encode()
    elif isinstance(value, bytes | bytearray | memoryview):
        message = BINARY + bytes(value)  # pyright: ignore[reportUnknownArgumentType] - any format
    else:
        message = JSON + encode_json(value)
    if len(message) - 1 > limits.CHANNEL_MESSAGE_BYTES:
        raise ValueError(
            f"a message of {len(message) - 1} bytes was published, and a channel carries {limits.CHANNEL_MESSAGE_BYTES} at most; "
            "publish where to find it"
        )
    return message


def as_sent(message: bytes) -> str | bytes:
    """What a WebSocket is sent."""
    body = message[1:]
    return body if message[:1] == BINARY else body.decode()


def reader_of(kind: Any) -> Read:
    """What makes a value of a type of a message.

    Raises:
        TypeError: no message becomes it.
    """
    if kind in (Any, object):
        read_json = json_decode(Any)
        return lambda message: (
            read_json(message[1:].decode()) if message[:1] == JSON else as_sent(message)
        )
    plain, rest = parts_of(kind)
    decode = None
    if rest:
        # Of as many as there are.
        decode = json_decode(Union[rest] if plain else kind)  # noqa: UP007

    def read(message: bytes) -> Any:
        said = message[:1]
        if said == TEXT and str in plain:
            return message[1:].decode()
        if said == BINARY and bytes in plain:
            return message[1:]
        if said != JSON or decode is None:
            raise TypeError(f"{WORDS.get(said, 'something else')} was published")
        try:
            return decode(message[1:].decode())
        except HTTPError as error:
            raise TypeError(str(error.detail or error)) from error

    return read
