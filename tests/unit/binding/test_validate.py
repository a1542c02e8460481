"""Every rule that a JSON value breaks, told at once."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from kingpost.binding.validate import broken_rules
from kingpost.schema import type_of


class Colour(enum.Enum):
    RED = "red"


class Cat(Struct, tag=True):
    name: str
    age: int


class Dog(Struct, tag=True):
    name: str


class Point(NamedTuple):
    x: int
    y: int


class Row(Struct, array_like=True):
    a: int


class Options(TypedDict):
    width: int


@dataclass
class Box:
    side: Annotated[float, Meta(gt=0)]
    labels: list[Annotated[str, Meta(max_length=3)]] = field(default_factory=list[str])


class Everything(Struct, rename="camel", forbid_unknown_fields=True):
    an_int: int
    a_float: Annotated[float, Meta(lt=1)]
    a_bool: bool
    some_text: Annotated[str, Meta(min_length=2, pattern="^a")]
    a_date: dt.date
    a_datetime: dt.datetime
    a_time: dt.time
    a_duration: dt.timedelta
    a_uuid: uuid.UUID
    a_decimal: decimal.Decimal
    some_bytes: bytes
    a_colour: Colour
    a_choice: Literal["x", 1]
    nothing: None
    maybe: int | None
    several: int | str
    items: Annotated[list[int], Meta(max_length=2)]
    pair: tuple[int, str]
    longer: tuple[int, ...]
    unique: set[int]
    mapping: dict[str, int]
    box: Box
    options: Options
    pets: list[Cat | Dog]


def told(kind: Any, value: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Location and code of what is wrong; the document is decoded as a body is."""
    document = msgspec.json.encode(value)
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(document, type=kind)
    found = broken_rules(type_of(kind), msgspec.json.decode(document), refused.value, ("body",))
    return [(tuple(error["location"])[1:], error["code"]) for error in found]


def test_every_field_of_every_type_is_looked_at() -> None:
    wrong = {
        "anInt": 1.5,
        "aFloat": 2,
        "aBool": 1,
        "someText": "b",
        "aDate": "x",
        "aDatetime": "x",
        "aTime": "x",
        "aDuration": "x",
        "aUuid": "x",
        "aDecimal": "x",
        "someBytes": "?",
        "aColour": "blue",
        "aChoice": True,
        "nothing": 1,
        "maybe": "x",
        "several": [],
        "items": [1, "x", 3],
        "pair": [1],
        "longer": {"a": 1},
        "unique": [1, None],
        "mapping": {"a": 1, "b": "x"},
        "box": {"side": 0, "labels": ["abcd", 1]},
        "options": {},
        "pets": [{"type": "Cat", "name": 1}, {"type": "Cow"}, 5],
        "extra": 1,
    }

    assert told(Everything, wrong) == [
        (("anInt",), "not-an-integer"),
        (("aFloat",), "too-large"),
        (("aBool",), "not-a-boolean"),
        (("someText",), "too-short"),
        (("someText",), "wrong-pattern"),
        (("aDate",), "not-a-date"),
        (("aDatetime",), "not-a-datetime"),
        (("aTime",), "not-a-time"),
        (("aDuration",), "not-a-duration"),
        (("aUuid",), "not-a-uuid"),
        (("aDecimal",), "not-a-decimal"),
        (("someBytes",), "not-base64"),
        (("aColour",), "not-a-choice"),
        (("aChoice",), "not-a-choice"),
        (("nothing",), "not-null"),
        (("maybe",), "not-an-integer"),
        (("several",), "not-a-choice"),
        (("items",), "too-long"),
        (("items", 1), "not-an-integer"),
        (("pair",), "wrong-length"),
        (("longer",), "not-a-list"),
        (("unique", 1), "not-an-integer"),
        (("mapping", "b"), "not-an-integer"),
        (("box", "side"), "too-small"),
        (("box", "labels", 0), "too-long"),
        (("box", "labels", 1), "not-text"),
        (("options", "width"), "missing"),
        (("pets", 0, "name"), "not-text"),
        (("pets", 0, "age"), "missing"),
        (("pets", 1), "not-a-choice"),
        (("pets", 2), "not-a-choice"),
        (("extra",), "unknown-field"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "errors"),
    [
        (Box, [], [((), "not-an-object")]),
        (dict[str, int], [], [((), "not-an-object")]),
        (tuple[int, str], {}, [((), "not-a-list")]),
        (Annotated[dict[str, int], Meta(min_length=1)], {}, [((), "too-short")]),
        (Annotated[int, Meta(ge=0, le=9, multiple_of=2)], -1, [((), "too-small"), ((), "not-a-multiple")]),
        (Annotated[int, Meta(gt=0, lt=3)], 5, [((), "too-large")]),
        (Annotated[list[int], Meta(min_length=2)], [1], [((), "too-short")]),
        # Fields in a row.
        (Row, ["x"], [((0,), "not-an-integer")]),
        (Row, [], [((), "wrong-length")]),
        (Row, {}, [((), "not-a-list")]),
        (Point, ["x", 1], [((0,), "not-an-integer")]),
        (dict[str, Row], {"a": ["x"]}, [(("a", 0), "not-an-integer")]),
    ],
    ids=str,
)  # fmt: skip
def test_a_whole_document_may_be_wrong(kind: Any, value: Any, errors: object) -> None:
    assert told(kind, value) == errors


def test_the_sentence_and_the_input_are_for_the_sender() -> None:
    document = b'{"side": -1}'
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(document, type=Box)

    errors = broken_rules(type_of(Box), {"side": -1}, refused.value, ("body",))

    assert errors == [
        {
            "location": ("body", "side"),
            "code": "too-small",
            "message": "must be more than 0",
            "input": -1,
        }
    ]


def test_no_more_than_a_hundred_errors_are_told() -> None:
    assert len(told(list[int], ["x"] * 1000)) == 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.sampled_from(["", "a", "ab", "red"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["side", "labels", "name", "age", "type"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(JSON)
def test_whatever_msgspec_refuses_has_an_error(value: Any) -> None:
    for kind in (Box, Cat | Dog, list[Box], dict[str, int], Annotated[str, Meta(min_length=2)]):
        document = msgspec.json.encode(value)
        refusal: msgspec.ValidationError | None = None
        try:
            msgspec.json.decode(document, type=kind)
        except msgspec.ValidationError as error:
            refusal = error
        assert refusal is None or broken_rules(type_of(kind), value, refusal, ("body",))


def test_descriptions_and_nulls_are_no_mistakes() -> None:
    class Described(Struct):
        number: Annotated[int, Meta(ge=0, description="how many")]
        pair: tuple[int, str]
        maybe: int | None

    wrong = {"number": -1, "pair": ["x", 1], "maybe": None}

    assert told(Described, wrong) == [
        (("number",), "too-small"),
        (("pair", 0), "not-an-integer"),
        (("pair", 1), "not-text"),
    ]
