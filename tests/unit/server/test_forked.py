"""When a worker says that it is worn."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from kingpost.server import forked
from kingpost.server.forked import Pulse
from kingpost.server.processes import Processes
from kingpost.server.readings import memory
from tests.waiting import pass_time


class Double:
    """The worker, its supervisor, and what it shares."""

    requests = 0
    slot = 0

    def __init__(self) -> None:
        self.beats = 0
        self.reasons: list[str] = []

    def beat(self) -> None:
        self.beats += 1

    def worn(self, reason: str) -> None:
        self.reasons.append(reason)


def pulse(
    double: Double, processes: Processes, loop: asyncio.AbstractEventLoop | None = None
) -> Pulse:
    any_double = cast("Any", double)
    return Pulse(cast("Any", loop), any_double, any_double, any_double, processes)


def test_nothing_wears_a_worker_out_unless_it_is_said() -> None:
    double = Double()
    double.requests = 10**9
    one = pulse(double, Processes())
    assert one.worn(one._begun + 10**9) == ""


def test_workers_are_worn_after_about_as_many_requests_as_said_but_not_all_at_once() -> None:
    double = Double()
    shares: set[float] = set()
    for _ in range(50):
        one = pulse(double, Processes(max_requests=1000))
        shares.add(one._share)
        double.requests = 899
        assert one.worn(0.0) == ""
        double.requests = 1000
        assert one.worn(0.0) == "after 1000 requests"
    assert all(0.9 <= share <= 1 for share in shares)
    assert len(shares) > 40


def test_a_worker_is_worn_after_about_as_many_seconds_as_said() -> None:
    one = pulse(Double(), Processes(max_age=100.0))
    assert one.worn(one._begun + 89) == ""
    assert one.worn(one._begun + 100.4) == "after 100 seconds"


def test_a_worker_is_worn_with_more_memory_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "memory", lambda: 100 << 20)
    one = pulse(Double(), Processes(max_memory=100 << 20))
    assert one.worn(0.0) == ""
    monkeypatch.setattr(forked, "memory", lambda: (100 << 20) + 1)
    assert one.worn(0.0) == "with 100 MiB of memory"


def test_a_worker_that_has_more_memory_from_the_start_is_not_worn_and_the_first_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(forked, "memory", lambda: 29 << 20)
    second = Double()
    second.slot = 1
    for double in (Double(), second):
        assert pulse(double, Processes(max_memory=1 << 20)).worn(0.0) == ""
    assert [record.message for record in caplog.records] == [
        "workers have 29 MiB of memory as they start, and --max-memory allows 1: none is replaced for its memory; allow more"
    ]


def test_the_memory_of_this_process_is_known() -> None:
    assert 5 << 20 < memory() < 5 << 30


def test_a_loop_that_turns_shows_it_each_second() -> None:
    async def main() -> int:
        double = Double()
        pulse(double, Processes(), asyncio.get_running_loop()).beat()
        for _ in range(3):
            await pass_time(1.0)
        return double.beats

    loop = asyncio.SelectorEventLoop()
    try:
        assert loop.run_until_complete(main()) == 4
    finally:
        loop.close()
