"""MessagePack: what JSON says, in fewer bytes."""

from __future__ import annotations

from typing import Any

import msgspec


class MessagePack:
    """The codec for MessagePack, the same values as JSON: dates and the like are text in it.

    Args:
        media_type: What it is called; it was known as `application/x-msgpack` and is registered as `application/vnd.msgpack`.
    """

    extension = "msgpack"

    def __init__(self, *, media_type: str = "application/msgpack") -> None:
        self.media_type = media_type

    def encode(self, value: Any, /) -> bytes:
        """The bytes of a value.

        Raises:
            TypeError: It has no form for it.
            OverflowError: An integer of more than 64 bits is in it.
        """
        return msgspec.msgpack.encode(value)

    def decode(self, document: bytes, /) -> Any:
        """The value of a document.

        Raises:
            ValueError: It is malformed.
        """
        return msgspec.msgpack.decode(document)
