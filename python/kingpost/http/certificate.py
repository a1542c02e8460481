"""`ClientCertificate`: who a client is by TLS."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from kingpost import _native


class ClientCertificate:
    """The certificate that a client has shown, signed by one of the authorities that the server was told to trust.

    That its dates hold, and that an authority has signed it, was checked when the connection was made; whether it was called
    back since was not.
    """

    def __init__(self, der: bytes) -> None:
        self.der = der
        """The certificate itself, in DER."""

    @cached_property
    def _facts(self) -> dict[str, Any]:
        return _native.read_certificate(self.der) or {}

    @property
    def subject(self) -> str:
        """Whose it is, as RFC 4514 writes it, such as "CN=till-7,O=Example"; empty where that cannot be read."""
        return str(self._facts.get("subject", ""))

    @property
    def issuer(self) -> str:
        """Who has signed it, written so too."""
        return str(self._facts.get("issuer", ""))

    @property
    def serial(self) -> str:
        """Its number at the issuer, hexadecimal in upper case."""
        return str(self._facts.get("serial", ""))

    @property
    def not_after(self) -> datetime | None:
        """Up to when it counts, in UTC."""
        seconds = self._facts.get("not_after")
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The names of hosts that it is for."""
        return tuple(self._facts.get("dns_names", ()))

    @property
    def emails(self) -> tuple[str, ...]:
        """The mail addresses that it is for."""
        return tuple(self._facts.get("emails", ()))

    @property
    def uris(self) -> tuple[str, ...]:
        """The URIs that it is for, such as "spiffe://example.org/till/7"."""
        return tuple(self._facts.get("uris", ()))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of `der`, hexadecimal in lower case: the one thing that no other certificate has."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> str:
        """The certificate as text."""
        text = base64.encodebytes(self.der).decode().replace("\n", "")
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])

    def __repr__(self) -> str:
        return f"<ClientCertificate {self.subject}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientCertificate) and other.der == self.der

    def __hash__(self) -> int:
        return hash(self.der)
