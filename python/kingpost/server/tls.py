"""What a server needs to speak HTTPS by itself: certificates, and who may come.

Rule 1: everything is read and checked when it is named, in the process that starts the workers: a mistake ends the start and not
the first handshake. A file that changes later is read anew by each worker; what cannot be used is told, and the former
certificates stay.
Rule 2: the secret of session tickets is made here, once: whatever is forked from this process resumes the same sessions.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from kingpost import _native
from kingpost.errors import ConfigurationError

if TYPE_CHECKING:
    from ssl import SSLContext

PROTOCOLS = {"auto": (b"h2", b"http/1.1"), "1": (b"http/1.1",), "2": (b"h2",)}
"""What is offered by ALPN, the best first, for the versions of HTTP that are spoken."""


@dataclass(frozen=True, slots=True, eq=False)
class Tls:
    """How a server speaks TLS.

    Raises:
        ConfigurationError: A file cannot be read or used (code `tls.…`).
    """

    certificates: Sequence[tuple[str, str]]
    """Files of certificates in PEM form, each with its key's. A client gets the one for the name that it asks for, the first where
    there is none for it."""
    client_ca: str | None = None
    """A file with the authorities that sign clients' certificates. Without it clients are not asked for one."""
    client_optional: bool = False
    """Let clients in that have no certificate; `request.client_certificate` is None then."""
    http: Literal["auto", "1", "2"] = "auto"
    """Versions of HTTP that are offered; the same as in `Options`."""
    native: _native.Tls | None = field(init=False, repr=False)
    """What the engine takes; None where it has no sockets of its own (Windows)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "native", self._read())

    def _read(self) -> _native.Tls | None:
        if sys.platform == "win32":
            return None
        try:
            return _native.Tls(
                list(self.certificates),
                client_ca=self.client_ca,
                client_optional=self.client_optional,
                protocols=PROTOCOLS[self.http],
                secret=os.urandom(32),
                since=int(time.time()),
            )
        except _native.TlsProblem as error:
            code, sentence, remedy = error.args
            raise ConfigurationError(sentence, code=code, remedy=remedy) from None

    def context(self) -> SSLContext:
        """The same for asyncio's transports, which speak TLS by Python's `ssl`.

        Raises:
            ConfigurationError: More was asked for than there is on that way (code `tls.native-only`).
        """
        if len(self.certificates) != 1 or self.client_ca is not None:
            raise ConfigurationError(
                "several certificates, and certificates of clients, need the native driver, which is not used here",
                code="tls.native-only",
                remedy="name one certificate and no client CA, or serve on Linux or macOS without KINGPOST_DRIVER=asyncio",
            )
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # What Mozilla calls intermediate, of what every OpenSSL has; those of TLS 1.3 are on in any case.
        context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
        context.set_alpn_protocols([name.decode() for name in PROTOCOLS[self.http]])
        certificate, key = self.certificates[0]
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"the certificate in {certificate} with the key in {key} cannot be used: {error}",
                code="tls.native-only",
                remedy="name a certificate and the key that it was made for, both in PEM form",
            ) from None
        return context


def tls_of(
    certificates: Sequence[str],
    keys: Sequence[str],
    client_ca: str | None = None,
    *,
    client_optional: bool = False,
    http: Literal["auto", "1", "2"] = "auto",
) -> Tls | None:
    """What the options of a command line say: each certificate goes with the key in the same place. None: nothing of it was said.

    Raises:
        ConfigurationError: There are not as many keys as certificates, or one of the files cannot be used.
    """
    if len(certificates) != len(keys):
        raise ConfigurationError(
            f"--tls-cert was given {_times(len(certificates))} and --tls-key {_times(len(keys))}: each certificate has its key",
            code="tls.pairs",
            remedy="give both options for each certificate, in the same order",
        )
    if not certificates:
        if client_ca is not None or client_optional:
            raise ConfigurationError(
                "clients are to be known by certificates, but the server has none itself",
                code="tls.pairs",
                remedy="give --tls-cert and --tls-key as well",
            )
        return None
    if client_optional and client_ca is None:
        raise ConfigurationError(
            "--tls-client-optional says that clients may come without a certificate, but nobody asks them for one",
            code="tls.pairs",
            remedy="give --tls-client-ca as well, or leave --tls-client-optional out",
        )
    pairs = list(zip(certificates, keys, strict=True))
    return Tls(pairs, client_ca=client_ca, client_optional=client_optional, http=http)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
