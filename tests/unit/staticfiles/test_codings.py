"""Which variant a client gets."""

from __future__ import annotations

import pytest

from kingpost.staticfiles.codings import best

SIZES = {"br": 10, "zstd": 9, "gzip": 12}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("deflate", None),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        # Of those that are wanted alike, the smallest.
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("*", "zstd"),
        ("gzip;q=1.0, *;q=0.5", "gzip"),
        ("gzip;q=0.5, br;q=0.8, zstd ; Q=0.2", "br"),
        ("gzip;q=0, br;q=0.000", None),
        ("*;q=0", None),
        ("zstd;q=0, *", "br"),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=nan", None),
        ("gzip;q=1e3", None),
        ("gzip;q=2", None),
        ("gzip;q=1.9", "gzip"),
        ("gzip;level=9", "gzip"),
        (", ,gzip", "gzip"),
    ],
)
def test_the_client_chooses(field: str | None, expected: str | None) -> None:
    assert best(field, SIZES) == expected


def test_the_order_of_variants_does_not_matter() -> None:
    assert best("br, zstd", {"zstd": 9, "br": 10}) == best("br, zstd", SIZES) == "zstd"


def test_a_long_field_is_read_in_part() -> None:
    assert best("a," * 100_000 + "gzip", SIZES) is None
