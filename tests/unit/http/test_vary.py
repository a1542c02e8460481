"""Vary grows, and never forgets."""

from __future__ import annotations

import pytest

from kingpost.http import ResponseHeaders
from kingpost.http.vary import add_vary


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["origin"]),
        (["accept"], ["accept, origin"]),
        (["Origin"], ["Origin"]),
        (["accept, , cookie", "accept-language"], ["accept, cookie, accept-language, origin"]),
        (["*"], ["*"]),
        (["accept", "*"], ["accept", "*"]),
    ],
    ids=str,
)
def test_a_name_is_said_once(before: list[str], after: list[str]) -> None:
    headers = ResponseHeaders([("vary", value) for value in before])

    add_vary(headers, "origin")

    assert headers.get_all("vary") == after
