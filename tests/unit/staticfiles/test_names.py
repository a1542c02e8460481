"""Names below a folder."""

from __future__ import annotations

import pytest

from kingpost.staticfiles.names import hides_a_slash, is_safe, with_digest, without_digest

DIGEST = "0123456789abcdef"


@pytest.mark.parametrize(
    "name", ["a", "a/b.css", "a b", "ümlaut/ß", "console.js", "com10", "nullable.txt", "a" * 255]
)
def test_ordinary_names_are_safe(name: str) -> None:
    assert is_safe(name, dot_files=False)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/..",
        "a//b",
        "/etc/passwd",
        "a/",
        "..\\a",
        "a\\b",
        "C:/a",
        "C:a",
        "//server/share",
        "a\0",
        "a\nb",
        "a\x7f",
        "a:stream",
        "a\ufffd",
        "a.",
        "a ",
        "a/ ",
        "...",
        "a" * 256,
        "ü" * 128,
        # Devices of Windows, in any spelling and with any ending.
        "con",
        "CON",
        "NUL",
        "nul.txt",
        "CON.tar.gz",
        "AUX .txt",
        "a/LPT1",
        "com¹",
        "CONIN$",
    ],
)
def test_what_could_be_something_else_is_not(name: str) -> None:
    assert not is_safe(name, dot_files=True)


@pytest.mark.parametrize("name", [".env", ".git/config", "a/.hidden", "..."])
def test_names_with_a_dot_in_front_are_refused_unless_asked_for(name: str) -> None:
    assert not is_safe(name, dot_files=False)
    assert is_safe(name, dot_files=True) == (name != "...")


@pytest.mark.parametrize(
    ("path", "hides"),
    [
        (b"/a/b", False),
        (b"/a%20b", False),
        (b"/..%2fa", True),
        (b"/..%5Ca", True),
        (b"/a%00", True),
        (b"/a%252fb", False),
    ],
)
def test_an_encoded_slash_is_seen(path: bytes, *, hides: bool) -> None:
    assert hides_a_slash(path) == hides


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("app.css", f"app.{DIGEST}.css"),
        ("js/app.min.js", f"js/app.min.{DIGEST}.js"),
        ("LICENSE", f"LICENSE.{DIGEST}"),
        ("v1.2/LICENSE", f"v1.2/LICENSE.{DIGEST}"),
        (".well-known/.x", f".well-known/.x.{DIGEST}"),
    ],
)
def test_a_digest_goes_in_and_out(name: str, hashed: str) -> None:
    assert with_digest(name, DIGEST) == hashed
    assert without_digest(hashed) == (name, DIGEST)


@pytest.mark.parametrize("name", ["app.css", "app.0123.css", f"{DIGEST}.css", f"app.{DIGEST}.a.b"])
def test_other_names_have_no_digest(name: str) -> None:
    assert without_digest(name) is None
