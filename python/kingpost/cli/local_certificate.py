"""The certificate of `kingpost dev --https`: made here, for this machine alone, by an authority that this machine alone has.

Rule 1: the authority's key never leaves the user's own folder, which nobody else can read, and no project has any of it.
Rule 2: the authority may vouch for names of this machine and nothing else, which browsers check: whoever steals its key cannot stand
in for a bank.
Rule 3: what is there and still counts is used again, so that a browser is told once whom to trust.
Rule 4: of programs that begin at once one makes it, and the others wait and use that: the files of two would not fit together.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from kingpost.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509 import Certificate, CertificateBuilder, Name

NAMES = ("localhost", "*.localhost")
ADDRESSES = ("127.0.0.1", "::1")

_DAY = 86_400
# A certificate is made for so many days, and made anew when it is so many days old.
_DAYS, _RENEWED_AFTER = 90, 60
_AUTHORITY_DAYS = 3650


@dataclass(frozen=True, slots=True)
class LocalCertificate:
    """The files of it."""

    authority: Path
    """The certificate of the authority: what browsers are told to trust."""
    certificate: Path
    key: Path
    is_new: bool
    """The authority was made just now, so nobody trusts it yet."""


def folder() -> Path:
    """Where this user's programs keep what they make."""
    if sys.platform == "win32":
        start = os.environ.get("LOCALAPPDATA", "")
        return (Path(start) if start else Path.home() / "AppData" / "Local") / "kingpost"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "kingpost"
    start = os.environ.get("XDG_DATA_HOME", "")
    return (Path(start) if start else Path.home() / ".local" / "share") / "kingpost"


def local_certificate(place: Path | None = None) -> LocalCertificate:
    """The certificate for this machine's own names; made where there is none, or it is old.

    Args:
        place: The folder that has it; the user's own by default.

    Raises:
        ConfigurationError: The package `cryptography` is not installed (code `tls.no-cryptography`).
    """
    place = place or folder()
    authority, authority_key = place / "authority.pem", place / "authority-key.pem"
    certificate, key = place / "localhost.pem", place / "localhost-key.pem"

    def has_authority() -> bool:
        return _is_fresh(authority, _AUTHORITY_DAYS - _DAYS) and authority_key.exists()

    def has_certificate() -> bool:
        return _is_fresh(certificate, _RENEWED_AFTER) and key.exists()

    is_new = False
    if not (has_authority() and has_certificate()):
        _check_cryptography()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(place):
            # Another program may have made all of it meanwhile.
            is_new = not has_authority()
            if is_new:
                _make_authority(authority, authority_key)
            if is_new or not has_certificate():
                _make_certificate(authority, authority_key, certificate, key)
    return LocalCertificate(authority, certificate, key, is_new)


def advice(made: LocalCertificate) -> str:
    """What a person does so that browsers on this machine believe the certificate."""
    commands = {
        "darwin": f'security add-trusted-cert -k ~/Library/Keychains/login.keychain-db "{made.authority}"',
        "win32": f'certutil -user -addstore Root "{made.authority}"',
    }
    command = commands.get(
        sys.platform,
        f'sudo cp "{made.authority}" /usr/local/share/ca-certificates/kingpost.crt && sudo update-ca-certificates',
    )
    return (
        f"An authority for this machine's own names was made: {made.authority}\n"
        "Browsers warn until they are told to trust it. Once, on this machine:\n"
        f"  {command}\n"
        "Firefox, and Chromium on Linux, have lists of their own: import that file in their settings, under certificates."
    )


@contextlib.contextmanager
def _alone_in(place: Path) -> Generator[None]:
    """Waits until no other program makes something in this folder; the system lets go where one is killed."""
    if sys.platform == "win32":  # folders have no locks there
        yield
        return
    import fcntl

    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_fresh(file: Path, days: int) -> bool:
    try:
        return time.time() - file.stat().st_mtime < days * _DAY
    except OSError:
        return False


def _check_cryptography() -> None:
    try:
        import_module("cryptography")
    except ImportError:
        raise ConfigurationError(
            "a certificate for this machine is made by the package cryptography, which is not installed",
            code="tls.no-cryptography",
            remedy='pip install "kingpost[encryption]", or name a certificate of your own with --tls-cert and --tls-key',
        ) from None


def _make_authority(file: Path, key_file: Path) -> None:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Kingpost on {os.uname().nodename if hasattr(os, 'uname') else 'this machine'}")
    own = x509.NameConstraints(
        permitted_subtrees=[
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")),
            x509.IPAddress(ipaddress.ip_network("::1/128")),
        ],
        excluded_subtrees=None,
    )
    signs = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        _builder(_AUTHORITY_DAYS)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(signs, critical=True)
        .add_extension(own, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, _sha256())
    )
    _write_key(key_file, key)
    _write_certificates(file, made)


def _make_certificate(authority: Path, authority_key: Path, file: Path, key_file: Path) -> None:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer = x509.load_pem_x509_certificate(authority.read_bytes())
    signing = serialization.load_pem_private_key(authority_key.read_bytes(), None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{authority_key} has another key than the one that was made")
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(name) for name in NAMES]
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    made = (
        _builder(_DAYS)
        .subject_name(_name("localhost"))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .sign(signing, _sha256())
    )
    _write_key(key_file, key)
    _write_certificates(file, made, issuer)


def _builder(days: int) -> CertificateBuilder:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        # The clock of a container may be a little late.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _name(common: str) -> Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Kingpost development"),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _sha256() -> SHA256:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


def _write_key(file: Path, key: EllipticCurvePrivateKey) -> None:
    from cryptography.hazmat.primitives import serialization

    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # Never, not even for a moment, with other permissions.
    draft = file.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(text)
    draft.replace(file)


def _write_certificates(file: Path, *certificates: Certificate) -> None:
    from cryptography.hazmat.primitives import serialization

    text = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_bytes(text)
    draft.replace(file)
