"""Descriptors: as many as there may be, the three of each program, and what is said where they are too few."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator

import pytest

from kingpost.server import descriptors
from kingpost.server.descriptors import TooFew, check, raise_limit

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no such limits")

FILL = """
import os, sys
from kingpost.server.descriptors import fill_standard
os.close(1)
os.close(0)
fill_standard()
assert os.open(os.devnull, os.O_RDONLY) > 2
assert [os.get_inheritable(number) for number in (0, 1, 2)] == [True] * 3
"""


@pytest.fixture(autouse=True)
def limits() -> Generator[None]:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_as_many_files_as_may_be_are_opened() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))

    now = raise_limit()

    soft, unchanged = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert (soft, unchanged) == (now, hard)
    assert soft > 200
    assert raise_limit() == now


def test_a_system_that_takes_no_such_number_is_offered_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import resource

    offered: list[int] = []

    def take(_: int, limits: tuple[int, int]) -> None:
        offered.append(limits[0])
        if limits[0] > 10_240:
            raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", take)

    assert raise_limit() == 10_240
    assert offered == [*descriptors._TRIES]


def test_too_few_for_so_many_workers_is_told_with_what_allows_more() -> None:
    check(4, 8, 112)
    check(4, 8, None)
    with pytest.raises(TooFew, match=r"4 workers need 112 .* may have 111: .*ulimit -n 112.*112"):
        check(4, 8, 111)


def test_standard_streams_that_are_closed_are_opened_on_nothing() -> None:
    subprocess.run([sys.executable, "-c", FILL], check=True)  # noqa: S603 - our own interpreter
