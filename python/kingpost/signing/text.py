"""Bytes as text that may stand in a URL and in a cookie: base64url without padding (RFC 4648 section 5)."""

from __future__ import annotations

import base64
import binascii


def to_text(data: bytes) -> str:
    """Letters, digits, `-` and `_`; four for three bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_text(text: str) -> bytes | None:
    """The bytes; None where the text is not exactly what `to_text` makes of them.

    Decoders skip strange characters, and ignore bits that no byte needs: two texts would be one value.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")
    except (binascii.Error, ValueError):
        return None
    return data if to_text(data) == text else None
