"""How long whatever keeps ending waits."""

from __future__ import annotations

from kingpost.server.backoff import Backoff


def test_the_first_few_ends_cost_nothing_and_each_one_behind_them_doubles_the_delay() -> None:
    backoff = Backoff(5)
    now, delays = 1000.0, list[float]()
    for _ in range(14):
        delays.append(backoff.ended(now))
        # The next one ends as soon as it may begin.
        now = max(now, backoff.until)
    assert delays == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_ends_that_lie_far_apart_cost_nothing() -> None:
    backoff = Backoff(5)
    assert [backoff.ended(13.0 * number) for number in range(100)] == [0] * 100
    assert backoff.ends == 5


def test_where_all_goes_well_for_a_minute_all_is_forgotten() -> None:
    backoff = Backoff(5)
    for _ in range(6):
        backoff.ended(0.0)
    assert backoff.until == 1.0
    assert backoff.ended(61.0) == 2.0
    assert backoff.until == 63.0
    assert backoff.ended(63.0 + 60.1) == 0.0


def test_who_begins_anew_owes_nothing() -> None:
    backoff = Backoff(0)
    assert backoff.ended(7.0) == 1.0
    backoff.clear()
    assert (backoff.until, backoff.ends) == (0.0, 0)
    assert backoff.ended(7.0) == 1.0
