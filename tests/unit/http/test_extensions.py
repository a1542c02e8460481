"""Media types by the ends of names."""

from __future__ import annotations

import pytest

from kingpost.http.extensions import TYPES, media_type_of_name
from kingpost.http.media_type import MediaType


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.css", "text/css; charset=utf-8"),
        ("A.HTML", "text/html; charset=utf-8"),
        ("app.min.js", "text/javascript; charset=utf-8"),
        ("data.json", "application/json"),
        ("folder.d/image.PNG", "image/png"),
        ("backup.tar.gz", "application/gzip"),
        ("README", "application/octet-stream"),
        ("run.exe", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_the_end_of_a_name_says_the_type(name: str, expected: str) -> None:
    assert media_type_of_name(name) == expected


def test_every_type_is_one_and_text_says_its_charset() -> None:
    for extension, text in TYPES.items():
        media_type = MediaType.parse(text)
        assert media_type is not None
        assert extension == extension.lower()
        assert (media_type.type == "text") == ("charset" in media_type.parameters)
