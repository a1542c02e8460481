"""Frames of the test client (RFC 6455)."""

from __future__ import annotations

import pytest

from kingpost.server.frames import (
    BINARY,
    CLOSE,
    TEXT,
    Frame,
    FrameReader,
    accept_of,
    close_payload,
    farewell_of,
    frame,
)
from kingpost.testing import BadReply


def unmasked(data: bytes) -> tuple[int, bytes]:
    """The first byte and the payload of a client's frame."""
    length, start = data[1] & 0x7F, 2
    if length > 125:
        start = 4 if length == 126 else 10
        length = int.from_bytes(data[2:start], "big")
    mask, masked = data[start : start + 4], data[start + 4 :]
    assert len(masked) == length
    return data[0], bytes(byte ^ mask[at % 4] for at, byte in enumerate(masked))


def test_the_answer_to_a_key_is_that_of_the_rfc() -> None:
    # Section 1.3.
    assert accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("length", [0, 1, 4, 125, 126, 65_535, 65_536])
def test_a_frame_is_masked_and_has_its_length(length: int) -> None:
    payload = bytes(at % 251 for at in range(length))
    sent = frame(BINARY, payload)

    assert sent[1] & 0x80
    assert unmasked(sent) == (0x80 | BINARY, payload)
    assert unmasked(frame(TEXT, payload, is_final=False))[0] == TEXT


def server(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes([first, length]) + payload
    if length < 65_536:
        return bytes([first, 126]) + length.to_bytes(2, "big") + payload
    return bytes([first, 127]) + length.to_bytes(8, "big") + payload


def test_frames_are_read_however_they_are_cut() -> None:
    expected = [
        Frame(True, TEXT, b"hello"),
        Frame(False, BINARY, b"x" * 300),
        Frame(True, 0, b"y" * 70_000),
        Frame(True, CLOSE, close_payload(1000, "bye")),
    ]
    data = b"".join(
        server((0x80 if each.is_final else 0) | each.opcode, each.payload) for each in expected
    )
    for size in (1, 7, len(data)):
        reader, found = FrameReader(), list[Frame]()
        for start in range(0, len(data), size):
            found += reader.feed(data[start : start + size])
        assert found == expected


@pytest.mark.parametrize("data", [b"\xc1\x00", b"\x81\x80\0\0\0\0"])
def test_what_a_server_may_not_send_is_told(data: bytes) -> None:
    with pytest.raises(BadReply):
        FrameReader().feed(data)


def test_a_close_without_a_code_is_1005() -> None:
    assert farewell_of(b"") == (1005, "")
    assert farewell_of(close_payload(4000, "é")) == (4000, "é")
