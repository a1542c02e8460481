"""Scalars: which texts are values, and which are not."""

# ruff: noqa: DTZ001 - a time that says no zone has none

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kingpost import Meta
from kingpost.schema.problems import Refused
from kingpost.schema.text import BrokenRules, scalar_of
from tests.unit.schema.kinds import Colour, Level

UserId = NewType("UserId", int)


class Odd(enum.Enum):
    PAIR = (1, 2)


def convert(annotation: Any, text: str) -> object:
    scalar = scalar_of(annotation)
    assert scalar is not None
    return scalar.convert(text)


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (str, "", ""),
        (str, " a ", " a "),
        (int, "42", 42),
        (int, "-7", -7),
        (int, "9" * 4300, int("9" * 4300)),
        (UserId, "3", 3),
        (float, "1.5", 1.5),
        (float, "-1e3", -1000.0),
        (float, ".5", 0.5),
        (bool, "true", True),
        (bool, "on", True),
        (bool, "no", False),
        (bool, "0", False),
        (decimal.Decimal, "12.50", decimal.Decimal("12.50")),
        (uuid.UUID, "123E4567-e89b-42d3-a456-426614174000", uuid.UUID(int=0x123E4567E89B42D3A456426614174000)),
        (dt.date, "2026-03-31", dt.date(2026, 3, 31)),
        (dt.datetime, "2026-03-31T12:00:00Z", dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)),
        (dt.datetime, "2026-03-31T12:00:00", dt.datetime(2026, 3, 31, 12)),
        (dt.time, "12:30:00", dt.time(12, 30)),
        (dt.timedelta, "PT1H", dt.timedelta(hours=1)),
        (Colour, "red", Colour.RED),
        (Level, "2", Level.HIGH),
        (Literal["a", 1, True], "1", 1),
        (Literal["a", 1, True], "true", True),
        (Colour | None, "blue", Colour.BLUE),
        (Annotated[int | None, Meta(ge=1)], "1", 1),
        (Annotated[str, Meta(pattern="^a")], "ab", "ab"),
    ],
)  # fmt: skip
def test_a_text_becomes_a_value(annotation: Any, text: str, value: object) -> None:
    converted = convert(annotation, text)

    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize(
    ("annotation", "text", "code"),
    [
        (int, "", "not-an-integer"),
        (int, "1_0", "not-an-integer"),
        (int, "+1", "not-an-integer"),
        (int, " 1", "not-an-integer"),
        (int, "1\n", "not-an-integer"),
        (int, "1.0", "not-an-integer"),
        (int, "\u0661", "not-an-integer"),
        (int, "9" * 4301, "not-an-integer"),
        (float, "nan", "not-a-number"),
        (float, "inf", "not-a-number"),
        (float, "1e999", "not-a-number"),
        (float, "1_0", "not-a-number"),
        (float, "0x10", "not-a-number"),
        (float, ".", "not-a-number"),
        (bool, "True", "not-a-boolean"),
        (bool, "", "not-a-boolean"),
        (bool, "2", "not-a-boolean"),
        (decimal.Decimal, "NaN", "not-a-decimal"),
        (decimal.Decimal, "1e9999", "not-a-decimal"),
        (uuid.UUID, "{123e4567-e89b-42d3-a456-426614174000}", "not-a-uuid"),
        (dt.date, "2026-02-30", "not-a-date"),
        (dt.date, "20260331", "not-a-date"),
        (dt.datetime, "2026-03-31", "not-a-datetime"),
        (dt.datetime, "2026-03-31T12:00:00." + "0" * 100 + "Z", "not-a-datetime"),
        (dt.time, "noon", "not-a-time"),
        (dt.timedelta, "1h", "not-a-duration"),
        (Colour, "RED", "not-a-choice"),
        (Level, "LOW", "not-a-choice"),
        (Literal["a"], "b", "not-a-choice"),
    ],
)
def test_a_text_that_is_no_value_is_refused(annotation: Any, text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        convert(annotation, text)

    assert [problem[0] for problem in refused.value.problems] == [code]


def test_every_broken_rule_is_told() -> None:
    with pytest.raises(BrokenRules) as refused:
        convert(Annotated[str, Meta(min_length=3, pattern="^b")], "a")

    assert [code for code, _ in refused.value.problems] == ["too-short", "wrong-pattern"]


@pytest.mark.parametrize(
    "annotation",
    [bytes, object, Any, dict, list[int], int | str, Odd, complex, Literal[1, "1"], 5, []],
    ids=str,
)
def test_what_one_text_cannot_be_is_no_scalar(annotation: Any) -> None:
    assert scalar_of(annotation) is None


def test_many_choices_are_counted_and_not_listed() -> None:
    many = enum.Enum("Many", {f"MEMBER_{number}": f"member-{number}" for number in range(100)})  # type: ignore[misc]  # its members are made at run time

    with pytest.raises(Refused) as refused:
        convert(many, "x")

    assert refused.value.problems == [("not-a-choice", "must be one of 100 choices")]


@given(st.text())
def test_no_text_is_too_odd_for_any_scalar(text: str) -> None:
    for kind in (
        int,
        float,
        bool,
        decimal.Decimal,
        uuid.UUID,
        dt.date,
        dt.datetime,
        dt.time,
        Colour,
    ):
        try:
            convert(kind, text)
        except Refused:
            continue


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_as_it_is_written(number: float) -> None:
    assert convert(float, repr(number)) == number
