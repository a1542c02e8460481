"""Certificates for tests: an authority, and what it signs. Keys are made anew for each run and never leave its folder."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kingpost.server.tls import Tls

_SIGNS = x509.KeyUsage(
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


@dataclass(frozen=True)
class Signed:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path

    @property
    def pair(self) -> tuple[str, str]:
        return str(self.certificate), str(self.key)


class Authority:
    """Who signs certificates, and what its clients know of it."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        made = (
            _builder(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(made.public_bytes(Encoding.PEM))

    def sign(self, name: str, *names: str, purpose: str = "server") -> Signed:
        """A certificate for `name`, good for these names of hosts, or addresses, as well."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [_alternative(each) for each in (name, *names)]
        use = (
            ExtendedKeyUsageOID.SERVER_AUTH
            if purpose == "server"
            else ExtendedKeyUsageOID.CLIENT_AUTH
        )
        made = (
            _builder(_name(name), self._name, key)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            # Without it Python 3.13 and newer believe nothing.
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        signed = Signed(self._folder / f"{name}.pem", self._folder / f"{name}-key.pem")
        signed.certificate.write_bytes(made.public_bytes(Encoding.PEM))
        signed.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return signed

    def serves(self, *names: str) -> Tls:
        """What a server needs that is called so; "localhost" by default."""
        return Tls([self.sign(*(names or ("localhost", "127.0.0.1"))).pair])

    def client(self, own: Signed | None = None) -> ssl.SSLContext:
        """A client that believes this authority, and shows a certificate where it has one."""
        context = ssl.create_default_context(cafile=str(self.file))
        if own is not None:
            context.load_cert_chain(own.certificate, own.key)
        return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
