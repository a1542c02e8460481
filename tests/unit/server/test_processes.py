"""How many processes serve."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kingpost.server import processes
from kingpost.server.processes import Processes, cpu_count
from kingpost.server.shared import MOST_SLOTS


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("50000 100000\n", 1),
        ("nonsense", None),
        ("1 0", None),
    ],
)
def test_a_container_may_use_as_many_processors_as_it_was_given(
    tmp_path: Path, text: str, most: int | None
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(text)
    assert processes._quota(file) == most


def test_where_nothing_bounds_them_all_processors_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert processes._quota(tmp_path / "none") is None
    monkeypatch.setattr(processes, "_quota", lambda: None)
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert cpu_count() == known
    monkeypatch.setattr(processes, "_quota", lambda: 1)
    assert cpu_count() == 1


@pytest.mark.parametrize(("workers", "slots"), [(1, 8), (4, 8), (5, 10), (200, MOST_SLOTS)])
def test_there_is_room_for_more_workers_than_there_are_at_first(workers: int, slots: int) -> None:
    assert Processes(workers=workers).slots == slots
