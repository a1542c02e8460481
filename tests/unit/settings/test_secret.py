"""A value that does not show itself."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import msgspec
import pytest

from kingpost.settings import Secret

SECRET = Secret("hunter2")


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        lambda secret: f"{secret!r:>20}",
        lambda secret: f"{secret:.3}",
        lambda secret: str([secret]),
        lambda secret: "%s" % secret,  # noqa: UP031 - one more way in which it could come out
    ],
    ids=["str", "repr", "wide", "cut", "in a list", "percent"],
)
def test_no_way_of_printing_shows_it(show: Callable[[object], str]) -> None:
    shown = show(SECRET)

    assert "hunter2" not in shown
    assert "***" in shown


def test_reveal_gives_it_out() -> None:
    assert SECRET.reveal() == "hunter2"


def test_json_does_not_take_it() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(SECRET)


def test_it_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(SECRET)


def test_it_has_no_dict_that_a_debugger_page_would_print() -> None:
    assert not hasattr(SECRET, "__dict__")


def test_copies_are_the_secret_itself() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy(SECRET) is SECRET


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (Secret("a"), Secret("a"), True),
        (Secret("a"), Secret("b"), False),
        (Secret(b"a"), Secret(b"a"), True),
        (Secret(1), Secret(1), True),
        (Secret("1"), Secret(1), False),
        (Secret("a"), "a", False),
        (Secret("\ud800"), Secret("\ud800"), True),
    ],
)
def test_secrets_compare_by_value(one: Secret[object], other: object, equal: bool) -> None:
    assert (one == other) is equal


def test_equal_secrets_are_one_key() -> None:
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_an_empty_secret_is_false() -> None:
    assert (bool(Secret("")), bool(SECRET)) == (False, True)
