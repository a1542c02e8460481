"""From text to the type of a field."""

from __future__ import annotations

import datetime
import enum
import uuid
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import pytest
from msgspec import Meta, Struct

from kingpost.settings import Secret
from kingpost.settings.convert import convert


class Colour(enum.Enum):
    RED = "red"


class Point(Struct):
    x: int


@dataclass
class Size:
    width: int


class Options(TypedDict):
    deep: bool


@pytest.mark.parametrize(
    ("text", "to", "value"),
    [
        ("x", str, "x"),
        (" x ", str, " x "),
        ("", str, ""),
        ("5", int, 5),
        (" 5 ", int, 5),
        ("-5", int, -5),
        ("2.5", float, 2.5),
        ("true", bool, True),
        ("ON", bool, True),
        ("yes", bool, True),
        ("1", bool, True),
        ("false", bool, False),
        ("off", bool, False),
        ("No", bool, False),
        ("0", bool, False),
        ("2026-01-02", datetime.date, datetime.date(2026, 1, 2)),
        ("1.10", Decimal, Decimal("1.10")),
        (
            "12345678123456781234567812345678",
            uuid.UUID,
            uuid.UUID("12345678123456781234567812345678"),
        ),
        ("red", Colour, Colour.RED),
        ("a", Literal["a", "b"], "a"),
        ("a/b", Path, Path("a/b")),
        ("", int | None, None),
        ("5", int | None, 5),
        ("true", bool | None, True),
        ("", str | None, None),
        ("5", int | str, "5"),
        ("a, b,c", list[str], ["a", "b", "c"]),
        ("1,2", list[int], [1, 2]),
        ('["a,b"]', list[str], ["a,b"]),
        ("", list[str], []),
        ("1,1", set[int], {1}),
        ("1,x", tuple[int, str], (1, "x")),
        ("red, red", list[Colour] | None, [Colour.RED, Colour.RED]),
        ('{"x":1}', Point, Point(1)),
        ('{"width":1}', Size, Size(1)),
        ('{"deep":true}', Options, {"deep": True}),
        ('{"a":1}', dict[str, int], {"a": 1}),
        ("s", Secret[str], Secret("s")),
        ("5", Secret[int], Secret(5)),
        ("s", Secret[str] | None, Secret("s")),
        ("", Secret[str] | None, None),
        ("a,b", list[Secret[str]], [Secret("a"), Secret("b")]),
        ("5", Annotated[int, Meta(ge=5)], 5),
        ("6", Annotated[int | None, Meta(ge=5)], 6),
    ],
)
def test_text_becomes_a_value(text: str, to: Any, value: object) -> None:
    converted = convert(text, to)

    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "to", "reason"),
    [
        ("x", int, "is no int"),
        ("", int, "is no int"),
        ("5.5", int, "is no int"),
        ("x", float, "is no float"),
        ("maybe", bool, "is none of true, false, yes, no, on, off, 1, 0"),
        ("", bool, "is none of true"),
        ("x", Literal["a", "b"], "breaks a rule: invalid enum value"),
        ("3", Annotated[int | None, Meta(ge=5)], "breaks a rule: expected `int` >= 5"),
        ("4", Annotated[int, Meta(ge=5)], "breaks a rule: expected `int` >= 5"),
        ("{", Point, "is no JSON"),
        ('{"x":"a"}', Point, "is no Point"),
        ("1,x", list[int], "is no list"),
        ("x", complex, "has a type that settings do not know"),
        ("1" * 5000, int, "breaks a rule: integer value out of range"),
    ],
)
def test_text_that_is_no_such_value_is_refused(text: str, to: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        convert(text, to)
