"""The order of events, what is kept of them, and what is said to be lost."""

from __future__ import annotations

from kingpost.feeds.log import Entry, Log


def entry(number: int, data: bytes = b"1") -> Entry:
    return Entry(number, "", data)


def log(*numbers: int, keep: int = 10, most_bytes: int = 100) -> Log:
    made = Log(keep, most_bytes)
    for number in numbers:
        made.take(number, entry(number))
    return made


def numbers(made: Log, after: int = 0) -> list[int]:
    return [each.number for each in made.after(after)[0]]


def test_events_are_shown_in_their_order_whatever_comes_first() -> None:
    made = log()

    assert not made.take(2, entry(2))
    assert (numbers(made), made.is_waiting) == ([], True)
    assert made.take(1, entry(1))
    assert (numbers(made), made.is_waiting) == ([1, 2], False)


def test_an_event_that_comes_twice_is_shown_once() -> None:
    made = log(1, 2)

    assert not made.take(2, entry(2))
    assert numbers(made) == [1, 2]


def test_a_number_that_stands_for_no_event_is_waited_for_as_well() -> None:
    made = log(1)

    assert not made.take(3, entry(3))
    assert made.take(2, None)
    assert (numbers(made), made.last) == ([1, 3], 3)


def test_what_never_comes_is_given_up() -> None:
    made = log(1)
    made.take(4, entry(4))

    assert made.give_up()
    assert numbers(made) == [1, 4]
    assert not made.give_up()


def test_more_that_wait_than_are_kept_wait_no_longer() -> None:
    made = log(keep=3)
    for number in (3, 4, 5):
        assert not made.take(number, entry(number))

    assert made.take(6, entry(6))
    assert numbers(made) == [4, 5, 6]


def test_as_many_events_are_kept_as_it_says_and_not_one_more() -> None:
    made = log(1, 2, 3, keep=3)

    assert made.after(0) == ([entry(1), entry(2), entry(3)], False)
    made.take(4, entry(4))
    assert made.after(0) == ([entry(2), entry(3), entry(4)], True)
    assert made.after(1) == ([entry(2), entry(3), entry(4)], False)


def test_as_many_bytes_are_kept_as_it_says_and_not_one_more() -> None:
    made = log(most_bytes=4)
    for number in (1, 2):
        made.take(number, entry(number, b"ab"))
    assert numbers(made) == [1, 2]

    made.take(3, entry(3, b"c"))

    assert numbers(made) == [2, 3]


def test_nothing_is_lost_for_who_has_seen_all() -> None:
    made = log(1, 2, 3, keep=1)

    assert made.after(3) == ([], False)
    assert made.after(2) == ([entry(3)], False)
    assert made.after(1) == ([entry(3)], True)


def test_one_that_begins_later_knows_nothing_of_what_was_before() -> None:
    made = log()
    made.take(8, entry(8))
    made.begin(7)

    assert made.after(7) == ([entry(8)], False)
    assert made.after(6) == ([entry(8)], True)


def test_what_was_before_can_be_told_by_another() -> None:
    made = log()
    made.begin(5)
    made.take(6, entry(6))
    assert made.take_earlier([entry(3), entry(4)], 2, 5)

    assert made.after(2) == ([entry(3), entry(4), entry(6)], False)
    assert made.after(1)[1]

    # A second one that knows more adds what was missing.
    assert made.take_earlier([entry(2), entry(3)], 1, 6)
    assert numbers(made, 1) == [2, 3, 4, 6]


def test_what_is_told_is_kept_within_the_bounds() -> None:
    made = log(keep=2)
    made.begin(5)
    made.take(6, entry(6))
    assert made.take_earlier([entry(2), entry(3), entry(4)], 1, 6)

    assert numbers(made) == [4, 6]
    assert made.after(3) == ([entry(4), entry(6)], False)
    assert made.after(2)[1]


def test_what_is_told_too_late_does_not_hide_what_has_fallen_out_since() -> None:
    made = log(keep=2)
    made.begin(2)
    for number in (3, 4, 5, 6):
        made.take(number, entry(number))

    # It knows nothing of the third.
    assert not made.take_earlier([entry(1)], 0, 2)

    assert made.after(0) == ([entry(5), entry(6)], True)
    assert made.after(3)[1]


def test_what_is_told_does_not_overtake_what_is_waited_for() -> None:
    made = log(1)
    assert made.take_earlier([entry(3)], 0, 3)

    assert numbers(made) == [1]


def test_the_newest_are_found_by_their_count() -> None:
    made = log(1, 2, 3)

    assert [made.newest(count) for count in (0, 1, 2, 3, 9)] == [3, 2, 1, 0, 0]
    assert log().newest(3) == 0


def test_the_tail_has_as_many_bytes_as_it_may() -> None:
    made = log(1, 2, 3)

    assert made.tail(3) == ([entry(1), entry(2), entry(3)], 0)
    assert made.tail(2) == ([entry(2), entry(3)], 1)
