"""`Signer`: text that anybody can read and nobody can alter, by HMAC-SHA-256 (RFC 2104)."""

from __future__ import annotations

import hmac

from kingpost.signing.sealer import Sealer
from kingpost.signing.stamp import Duration
from kingpost.signing.text import from_text, to_text


class Signer(Sealer):
    """Signs values for one purpose. Whoever gets them can read them, and cannot alter them.

    Args:
        keys: The ring; a handler or provider names `KeyRing` to get it.
        purpose: What the values are for, such as "password reset"; what was signed for another purpose is refused.
        clock: Gives seconds since 1970; for tests.

    Attributes:
        purpose: As given.

    Raises:
        ValueError: The purpose is empty.

    Example:
        >>> signer = Signer(KeyRing("a key of at least 32 characters, for this example"), "invitation")
        >>> text = signer.sign("ada@example.org", expires_in=3600)
        >>> signer.verify(text)
        b'ada@example.org'
        >>> signer.verify(text.swapcase())
        Traceback (most recent call last):
        kingpost.signing.errors.BadSignature: the signature is missing, wrong or no longer valid
    """

    __slots__ = ("_keys",)

    _kind = "signed value"

    def sign(self, value: bytes | str, *, expires_in: Duration | None = None) -> str:
        """The value with its signature, as text for a URL, a cookie or a form: letters, digits, `-`, `_` and one dot.

        Args:
            value: Bytes, or text, which becomes UTF-8.
            expires_in: Seconds, or a timedelta, above 0; without it the value never ends by itself.

        Raises:
            ValueError: It is longer than what would be read again, or `expires_in` is not above 0.
        """
        return self._sealed(value, expires_in)

    def verify(self, text: str, *, max_age: Duration | None = None) -> bytes:
        """The value that was signed.

        Args:
            text: What came back.
            max_age: Seconds, or a timedelta, since it was signed, beyond which it is refused, whatever it was given.

        Raises:
            BadSignature: It is not what was signed for this purpose, has ended, or is too old.
        """
        return self._opened(text, max_age)

    def _take_keys(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys

    def _close(self, data: bytes) -> str:
        payload = to_text(data)
        return f"{payload}.{mac(self._keys[0], payload.encode())}"

    def _open(self, text: str) -> bytes | None:
        payload, _, signature = text.rpartition(".")
        if not is_signed(self._keys, payload.encode(), signature):
            return None
        return from_text(payload)


def mac(key: bytes, message: bytes) -> str:
    """HMAC-SHA-256 as text: 43 characters."""
    return to_text(hmac.digest(key, message, "sha256"))


def is_signed(keys: tuple[bytes, ...], message: bytes, signature: str) -> bool:
    """Whether one of the keys made the signature of the message.

    The texts are compared, not the bytes that they stand for, so that each message has one signature only; and all keys are tried, so that time
    tells neither how much of a guess is right nor which key it was.
    """
    given = signature.encode("ascii", "replace")
    found = False
    for key in keys:
        found |= hmac.compare_digest(mac(key, message).encode(), given)
    return found
