"""What only encrypting does."""

from __future__ import annotations

import sys

import pytest

from kingpost.errors import ConfigurationError
from kingpost.signing import BadSignature, EncryptedCookies, Encrypter, KeyRing, Signer
from kingpost.signing.text import from_text


def test_nobody_reads_it(keys: KeyRing) -> None:
    encrypter = Encrypter(keys, "test")

    text = encrypter.encrypt("a secret that stands out")

    assert b"secret" not in (from_text(text) or b"")


def test_the_same_value_looks_different_each_time(keys: KeyRing) -> None:
    encrypter = Encrypter(keys, "test")

    assert encrypter.encrypt("x") != encrypter.encrypt("x")


def test_what_is_signed_does_not_pass_for_what_is_encrypted(keys: KeyRing) -> None:
    with pytest.raises(BadSignature):
        Encrypter(keys, "test").decrypt(Signer(keys, "test").sign("x"))
    with pytest.raises(BadSignature):
        Signer(keys, "test").verify(Encrypter(keys, "test").encrypt("x"))


def test_the_library_is_asked_for_by_name(keys: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)

    for make in (lambda: Encrypter(keys, "test"), lambda: EncryptedCookies(keys)):
        with pytest.raises(ConfigurationError, match="needs the package cryptography") as caught:
            make()

        assert caught.value.code == "signing.no-cryptography"
        assert caught.value.remedy == "pip install 'kingpost[encryption]'"
        assert caught.value.places[0].file.endswith("test_encrypter.py")
    # Signing needs nothing.
    assert Signer(keys, "test").sign("x")
