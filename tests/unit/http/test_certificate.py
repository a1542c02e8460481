"""What a handler reads of a client's certificate."""

from __future__ import annotations

import hashlib
import os
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kingpost import App, Request
from kingpost.http.certificate import ClientCertificate
from kingpost.testing import TestClient
from tests.certificates import Authority

pytestmark = pytest.mark.skipif(os.name != "posix", reason="certificates are read by the driver")


def test_a_certificate_says_whose_it_is(tmp_path: Path) -> None:
    signed = Authority(tmp_path, "Example").sign("till-7.example", "www.example", purpose="client")
    pem = signed.certificate.read_text()
    der = ssl.PEM_cert_to_DER_cert(pem)

    certificate = ClientCertificate(der)

    assert certificate.subject == "CN=till-7.example"
    assert certificate.issuer == "CN=Example"
    assert certificate.dns_names == ("till-7.example", "www.example")
    assert (certificate.emails, certificate.uris) == ((), ())
    assert certificate.fingerprint == hashlib.sha256(der).hexdigest()
    assert certificate.not_after is not None
    assert certificate.not_after > datetime.now(UTC)
    assert int(certificate.serial, 16) > 0
    assert certificate.pem == pem
    assert repr(certificate) == "<ClientCertificate CN=till-7.example>"
    assert certificate == ClientCertificate(der)
    assert len({certificate, ClientCertificate(der)}) == 1


def test_what_is_none_says_nothing() -> None:
    certificate = ClientCertificate(b"rubbish")
    assert (certificate.subject, certificate.dns_names, certificate.not_after) == ("", (), None)


def test_without_tls_there_is_none() -> None:
    app = App()

    @app.get("/")
    def home(request: Request) -> bool:
        return request.client_certificate is None

    assert TestClient(app).get("/").json() is True
