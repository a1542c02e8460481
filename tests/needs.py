"""What some tests need and not every machine has: a program, a service, files that are fetched."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")


def need(found: T | None, what: str, *, remedy: str) -> T:
    """What was looked for. Where it is not, the test is skipped, and the remedy told; under CI, which must have it, the test fails.

    Called by a file rather than by a test or a fixture, it is all tests of the file that are skipped, or that fail.

    Args:
        found: what was found; None or False for nothing.
        what: its name, as in "there is no nginx here".
        remedy: how to get it, in words or as a command.
    """
    __tracebackhide__ = True
    if found is not None and found is not False:
        return found
    reason = f"there is no {what} here; to get it: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)
