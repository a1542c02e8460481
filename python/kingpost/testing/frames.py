"""The client's side of RFC 6455 as far as a test needs it: frames out, masked, and frames in. No extensions."""

from __future__ import annotations

import os
import struct
from base64 import b64encode
from hashlib import sha1
from typing import Final, NamedTuple

from kingpost.server.reply import BadReply

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def new_key() -> str:
    """A `Sec-WebSocket-Key`: 16 random bytes (section 4.1)."""
    return b64encode(os.urandom(16)).decode()


def accept_of(key: str) -> str:
    """The `Sec-WebSocket-Accept` that answers a key (section 4.2.2)."""
    return b64encode(sha1(key.encode() + _GUID).digest()).decode()  # noqa: S324 - the RFC's own choice


class Frame(NamedTuple):
    """One frame (section 5.2)."""

    is_final: bool
    opcode: int
    payload: bytes


def frame(opcode: int, payload: bytes, *, is_final: bool = True) -> bytes:
    """A frame as a client sends it: masked (section 5.3)."""
    first = opcode | (0x80 if is_final else 0)
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", first, 0x80 | length)
    elif length < 1 << 16:
        head = struct.pack("!BBH", first, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, length)
    mask = os.urandom(4)
    repeated = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return head + mask + masked.to_bytes(length, "big")


def close_payload(code: int, reason: str) -> bytes:
    """What a close frame says (section 5.5.1)."""
    return struct.pack("!H", code) + reason.encode()


def farewell_of(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame; 1005 where it says nothing (section 7.1.5)."""
    if len(payload) < 2:
        return 1005, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode()


class FrameReader:
    """Frames of a server, out of bytes that arrive in any pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now.

        Raises:
            BadReply: a server may not send that.
        """
        self._rest += data
        found: list[Frame] = []
        while (one := self._next()) is not None:
            found.append(one)
        return found

    def _next(self) -> Frame | None:
        rest = self._rest
        if len(rest) < 2:
            return None
        if rest[0] & 0x70:
            raise BadReply("a frame has reserved bits, and no extension was agreed on")
        if rest[1] & 0x80:
            raise BadReply("a server's frame is masked (RFC 6455 section 5.1)")
        length, start = rest[1], 2
        if length > 125:
            start = 4 if length == 126 else 10
            if len(rest) < start:
                return None
            length = int.from_bytes(rest[2:start], "big")
        if len(rest) < start + length:
            return None
        made = Frame(bool(rest[0] & 0x80), rest[0] & 0x0F, bytes(rest[start : start + length]))
        del rest[: start + length]
        return made
