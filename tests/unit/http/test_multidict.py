"""Names that may come more than once."""

from __future__ import annotations

import pytest

from kingpost.http import MultiDict

VALUES = MultiDict([("a", "1"), ("b", "2"), ("a", "3")])


def test_the_first_value_is_the_value() -> None:
    assert (VALUES["a"], VALUES.get("a"), VALUES.get("c", "-")) == ("1", "1", "-")


def test_all_values_of_a_name_are_there_in_order() -> None:
    assert (VALUES.get_all("a"), VALUES.get_all("c")) == (["1", "3"], [])


def test_length_and_iteration_speak_of_names() -> None:
    assert (len(VALUES), list(VALUES), "a" in VALUES, "A" in VALUES) == (2, ["a", "b"], True, False)


def test_pairs_keep_everything() -> None:
    assert VALUES.pairs() == (("a", "1"), ("b", "2"), ("a", "3"))


def test_a_missing_name_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="c"):
        _ = VALUES["c"]


def test_it_equals_itself_and_a_dict_of_first_values() -> None:
    assert VALUES == MultiDict(VALUES.pairs())
    assert MultiDict([("a", "1"), ("b", "2")]) != VALUES
    assert VALUES == {"a": "1", "b": "2"}


def test_it_cannot_be_a_key() -> None:
    with pytest.raises(TypeError):
        hash(VALUES)


def test_what_get_all_gives_is_the_callers() -> None:
    VALUES.get_all("a").append("x")

    assert VALUES.get_all("a") == ["1", "3"]


def test_the_repr_shows_every_pair() -> None:
    assert repr(MultiDict([("a", "1")])) == "MultiDict([('a', '1')])"
