"""`Encrypter`: text that nobody else can read or alter. The cipher is the library's: Fernet of `cryptography`, AES-128-CBC under HMAC-SHA-256.

Fernet takes a fresh 128-bit vector for each text, so there is no count of texts after which a key must be changed, as there is with the
96-bit nonces of AES-GCM and ChaCha20-Poly1305: a busy site reaches that with a cookie for each answer in weeks.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from kingpost.errors import ConfigurationError
from kingpost.signing.sealer import Sealer
from kingpost.signing.stamp import Duration
from kingpost.signing.text import from_text
from kingpost.types import Place

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Encrypter(Sealer):
    """Encrypts values for one purpose. Only we can read them, and nobody can alter them.

    It needs the extra `kingpost[encryption]`. What is encrypted still shows how long it is.

    Args:
        keys: The ring; a handler or provider names `KeyRing` to get it.
        purpose: What the values are for, such as "health record"; what was encrypted for another purpose is refused.
        clock: Gives seconds since 1970; for tests.

    Attributes:
        purpose: As given.

    Raises:
        ValueError: The purpose is empty.
        ConfigurationError: The package `cryptography` is not installed (code `signing.no-cryptography`).

    Example:
        >>> encrypter = Encrypter(KeyRing("a key of at least 32 characters, for this example"), "diagnosis")
        >>> encrypter.decrypt(encrypter.encrypt("hay fever"))
        b'hay fever'
    """

    __slots__ = ("_fernets",)

    _kind = "encrypted value"

    def encrypt(self, value: bytes | str, *, expires_in: Duration | None = None) -> str:
        """The value, encrypted, as text for a URL, a cookie or a form: letters, digits, `-` and `_`.

        What it takes and raises is as of `Signer.sign`.
        """
        return self._sealed(value, expires_in)

    def decrypt(self, text: str, *, max_age: Duration | None = None) -> bytes:
        """The value that was encrypted.

        What it takes and raises is as of `Signer.verify`.
        """
        return self._opened(text, max_age)

    def _take_keys(self, keys: tuple[bytes, ...]) -> None:
        try:
            from cryptography.fernet import Fernet
        except ImportError as error:
            raise ConfigurationError(
                "encrypting needs the package cryptography, which is not installed",
                code="signing.no-cryptography",
                remedy="pip install 'kingpost[encryption]'",
                places=[Place.of_caller()],
            ) from error
        self._fernets: tuple[Fernet, ...] = tuple(
            Fernet(base64.urlsafe_b64encode(key)) for key in keys
        )

    def _close(self, data: bytes) -> str:
        # The stamp inside says when; the one outside need not tell everybody.
        return self._fernets[0].encrypt_at_time(data, 0).rstrip(b"=").decode("ascii")

    def _open(self, text: str) -> bytes | None:
        from cryptography.fernet import InvalidToken

        # The library skips strange characters; a text that was altered is refused.
        token = from_text(text)
        if token is None:
            return None
        padded = base64.urlsafe_b64encode(token)
        found: bytes | None = None
        for fernet in self._fernets:
            try:
                found = fernet.decrypt(padded)
            except InvalidToken:
                continue
        return found
