"""What is missing is told with its remedy; under CI nothing may be missing."""

from __future__ import annotations

import pytest

from tests.needs import need


def test_what_is_there_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    assert need("/usr/bin/x", "x", remedy="install it") == "/usr/bin/x"
    # An empty answer is an answer.
    assert need("", "x", remedy="install it") == ""


@pytest.mark.parametrize("found", [None, False])
def test_what_is_missing_skips_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, found: bool | None
) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"there is no x here; to get it: install it"):
        need(found, "x", remedy="install it")


@pytest.mark.parametrize("found", [None, False])
def test_what_is_missing_under_ci_fails_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, found: bool | None
) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=r"there is no x here; to get it: install it"):
        need(found, "x", remedy="install it")
