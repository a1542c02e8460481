"""The client's side of RFC 6455, for whoever talks to our engine in this process: the test client, and what stands between another server and it.

Frames out, masked, and frames in; no extensions.
"""

from __future__ import annotations

import os
import struct
from base64 import b64encode
from hashlib import sha1
from typing import Final, NamedTuple

from kingpost.server.reply import BadReply

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_NO_KEY: Final = bytes(4)
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
    key = os.urandom(4)
    return _head_of(opcode, len(payload), 0x80, is_final=is_final) + key + _masked(payload, key)


def fed_frame(opcode: int, payload: bytes) -> bytes:
    """A frame of a client for an engine in this process: its mask is all zeros, since between the two there is nobody to be protected."""
    return _head_of(opcode, len(payload), 0x80) + _NO_KEY + payload


def server_frame(opcode: int, payload: bytes) -> bytes:
    """A frame as a server sends it: not masked."""
    return _head_of(opcode, len(payload), 0) + payload


def _head_of(opcode: int, length: int, masked: int, *, is_final: bool = True) -> bytes:
    first = opcode | (0x80 if is_final else 0)
    if length < 126:
        return struct.pack("!BB", first, masked | length)
    if length < 1 << 16:
        return struct.pack("!BBH", first, masked | 126, length)
    return struct.pack("!BBQ", first, masked | 127, length)


def _masked(payload: bytes, key: bytes) -> bytes:
    length = len(payload)
    repeated = (key * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return masked.to_bytes(length, "big")


def close_payload(code: int, reason: str) -> bytes:
    """What a close frame says (section 5.5.1)."""
    return struct.pack("!H", code) + reason.encode()


def farewell_of(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame; 1005 where it says nothing (section 7.1.5)."""
    if len(payload) < 2:
        return 1005, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode()


class FrameReader:
    """Frames out of bytes that arrive in any pieces.

    Args:
        masked: Whether a client sends them; else a server.
    """

    def __init__(self, *, masked: bool = False) -> None:
        self._rest = bytearray()
        self._bit = 0x80 if masked else 0
        self._fragments: list[Frame] = []

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now.

        Raises:
            BadReply: nobody may send that.
        """
        self._rest += data
        found: list[Frame] = []
        while (one := self._next()) is not None:
            found.append(one)
        return found

    def whole(self, data: bytes) -> list[Frame]:
        """The messages, in one frame each, and the control frames that are complete now.

        Raises:
            BadReply: nobody may send that.
        """
        found: list[Frame] = []
        for each in self.feed(data):
            if each.opcode >= CLOSE:
                found.append(each)
                continue
            self._fragments.append(each)
            if each.is_final:
                joined = b"".join(one.payload for one in self._fragments)
                found.append(Frame(is_final=True, opcode=self._fragments[0].opcode, payload=joined))
                self._fragments.clear()
        return found

    def _next(self) -> Frame | None:
        rest = self._rest
        if len(rest) < 2:
            return None
        if rest[0] & 0x70:
            raise BadReply("a frame has reserved bits, and no extension was agreed on")
        if rest[1] & 0x80 != self._bit:
            raise BadReply(
                "a client's frame is masked, and a server's is not (RFC 6455 section 5.1)"
            )
        length, start = rest[1] & 0x7F, 2
        if length > 125:
            start = 4 if length == 126 else 10
            if len(rest) < start:
                return None
            length = int.from_bytes(rest[2:start], "big")
        start += 4 if self._bit else 0
        if len(rest) < start + length:
            return None
        payload = bytes(rest[start : start + length])
        if self._bit:
            payload = _masked(payload, bytes(rest[start - 4 : start]))
        made = Frame(bool(rest[0] & 0x80), rest[0] & 0x0F, payload)
        del rest[: start + length]
        return made
