"""A ring, and a clock that stands still until it is moved."""

from __future__ import annotations

import pytest

from kingpost.signing import KeyRing


class GivenClock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> GivenClock:
    return GivenClock()


@pytest.fixture
def keys() -> KeyRing:
    return KeyRing("n" * 32)
