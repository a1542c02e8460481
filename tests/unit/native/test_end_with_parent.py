"""A process that ends with the one that started it."""

from __future__ import annotations

import sys

import pytest

from kingpost import _native

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot do that")


@pytest.mark.parametrize("number", [-1, 4096])
def test_what_is_no_signal_is_an_error_and_switches_nothing_off(number: int) -> None:
    with pytest.raises(OSError, match=r"(?i)invalid"):
        _native.end_with_parent(number)
