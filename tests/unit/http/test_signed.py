"""The hook that lets only signed links through."""

from __future__ import annotations

import pytest

import kingpost.http
from kingpost.http.signed import require_signed_url


def test_the_package_offers_it_without_loading_it_at_once() -> None:
    assert kingpost.http.require_signed_url is require_signed_url


def test_other_names_are_not_there() -> None:
    with pytest.raises(
        AttributeError, match=r"module 'kingpost.http' has no attribute 'require_nothing'"
    ):
        kingpost.http.require_nothing  # type: ignore[attr-defined]  # noqa: B018 - the mistake itself
