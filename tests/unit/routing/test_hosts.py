"""Hosts as they are compared."""

from __future__ import annotations

import pytest

from kingpost.routing.hosts import without_port


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("A.example:80", "a.example"),
        ("a", "a"),
        ("[::1]", "[::1]"),
        ("[::1]:80", "[::1]"),
        ("", ""),
    ],
)
def test_a_name_is_a_host_without_its_port(host: str, name: str) -> None:
    assert without_port(host) == name
