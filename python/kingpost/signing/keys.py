"""`KeyRing`: the keys of an application, the newest first, and the keys that are derived from them."""

from __future__ import annotations

import hmac
from typing import NoReturn, Protocol

from kingpost.errors import ConfigurationError
from kingpost.types import Place

SHORTEST = 32
"""Bytes that a key has at least: as many as the hash has (RFC 2104 section 3)."""

_SALT = b"kingpost signing, version 1"


class HasKey(Protocol):
    """What hides a key, such as `Secret`."""

    def reveal(self) -> str | bytes:
        """The key itself."""
        ...


class KeyRing:
    """Keys to sign and encrypt with: the first one makes, all of them check.

    A handler or provider that names it gets the ring of the App's settings: `secret_key`, then `former_secret_keys`. To rotate, put a new key
    first and keep the old one for as long as what it signed lives.

    Args:
        key: At least 32 bytes of randomness, such as `secrets.token_urlsafe(48)`.
        former: Older keys, which sign nothing any more.

    Raises:
        ConfigurationError: A key has fewer than 32 bytes (code `signing.weak-key`).

    Example:
        >>> KeyRing("a key of at least 32 characters, for this example")
        <KeyRing of 1 key>
    """

    __slots__ = ("_pseudorandom",)

    def __init__(self, key: str | bytes | HasKey, *former: str | bytes | HasKey) -> None:
        # RFC 5869 section 2.2, once for each key.
        self._pseudorandom = tuple(
            hmac.digest(_SALT, checked(each, number), "sha256")
            for number, each in enumerate((key, *former))
        )

    def derive(self, *purpose: str) -> tuple[bytes, ...]:
        """Keys for one purpose, newest first: 32 bytes for each key of the ring (HKDF-Expand, RFC 5869 section 2.3).

        Args:
            purpose: Words that say it, each with its length in front: `("a", "bc")` is another purpose than `("ab", "c")`.
        """
        info = b"".join(with_length(word.encode("utf-8", "surrogatepass")) for word in purpose)
        # One block of SHA-256 is as long as what we need.
        return tuple(hmac.digest(key, info + b"\x01", "sha256") for key in self._pseudorandom)

    def __repr__(self) -> str:
        count = len(self._pseudorandom)
        return f"<KeyRing of {count} key{'' if count == 1 else 's'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a KeyRing is not pickled: its keys would leave the process readable; make it anew from the settings"
        )


def with_length(part: bytes) -> bytes:
    """A part with its length in front, so that no two lists of parts give the same bytes."""
    return len(part).to_bytes(4, "big") + part


def checked(key: str | bytes | HasKey, number: int) -> bytes:
    """The bytes of a key that is long enough."""
    bare = key if isinstance(key, str | bytes) else key.reveal()
    found = bare.encode("utf-8", "surrogatepass") if isinstance(bare, str) else bare
    if len(found) < SHORTEST:
        name = "the key" if number == 0 else f"former key {number}"
        raise ConfigurationError(
            f"{name} of a KeyRing has {len(found)} bytes and needs at least {SHORTEST}",
            code="signing.weak-key",
            remedy="make one with python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            places=[Place.of_caller()],
        )
    return found
