"""Rings of keys, and what is derived from them."""

from __future__ import annotations

import copy
import hashlib
import hmac
import pickle

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kingpost.errors import ConfigurationError
from kingpost.settings import Secret
from kingpost.signing import KeyRing
from kingpost.signing.keys import HasKey

LONG = "k" * 32


def test_the_derivation_is_hkdf_as_a_library_does_it() -> None:
    """The second opinion on RFC 5869."""
    info = b"\x00\x00\x00\x06signed\x00\x00\x00\x05value"

    expected = HKDF(SHA256(), 32, b"kingpost signing, version 1", info).derive(LONG.encode())

    assert KeyRing(LONG).derive("signed", "value") == (expected,)


def test_the_derivation_stays_as_it_is() -> None:
    """What was given out before an update must be good after it."""
    derived = KeyRing(b"\x00" * 32).derive("signed value", "x")

    assert derived[0] == hmac.digest(
        hmac.digest(b"kingpost signing, version 1", b"\x00" * 32, hashlib.sha256),
        b"\x00\x00\x00\x0csigned value\x00\x00\x00\x01x\x01",
        hashlib.sha256,
    )


def test_each_key_of_the_ring_gives_one_newest_first() -> None:
    derived = KeyRing(LONG, "l" * 32).derive("x")

    assert derived == (*KeyRing(LONG).derive("x"), *KeyRing("l" * 32).derive("x"))


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a", "bc"), ("ab", "c")), (("a",), ("a", "")), (("a", "b"), ("b", "a")), ((), ("",))],
)
def test_no_two_purposes_share_a_key(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    keys = KeyRing(LONG)

    assert keys.derive(*one) != keys.derive(*other)


@pytest.mark.parametrize("key", [LONG, LONG.encode(), Secret(LONG), "é" * 16])
def test_text_bytes_and_secrets_of_32_bytes_are_keys(key: str | bytes | HasKey) -> None:
    assert len(KeyRing(key).derive("x")[0]) == 32


def test_text_bytes_and_secrets_are_the_same_key() -> None:
    assert KeyRing(LONG).derive("x") == KeyRing(LONG.encode()).derive("x")
    assert KeyRing(LONG).derive("x") == KeyRing(Secret(LONG)).derive("x")


@pytest.mark.parametrize("short", ["", "k" * 31, b"k" * 31, Secret("k" * 31)])
def test_a_short_key_is_refused_with_a_remedy(short: str | bytes | HasKey) -> None:
    with pytest.raises(ConfigurationError, match="the key of a KeyRing has") as caught:
        KeyRing(short)

    assert caught.value.code == "signing.weak-key"
    assert "secrets.token_urlsafe(48)" in caught.value.remedy
    assert caught.value.places[0].file.endswith("test_keys.py")


def test_a_short_former_key_is_named() -> None:
    with pytest.raises(ConfigurationError, match="former key 2 of a KeyRing has 5 bytes"):
        KeyRing(LONG, LONG, "short")


def test_a_ring_shows_no_key_and_is_not_pickled() -> None:
    keys = KeyRing(LONG, "l" * 32)

    assert repr(keys) == "<KeyRing of 2 keys>"
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            take(keys)
