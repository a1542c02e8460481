"""Models from the texts of a form or a query, of all five kinds."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import uuid
from typing import Annotated, Any, Literal, NamedTuple

import pydantic
import pytest
from msgspec import Meta, Struct

from kingpost import limits
from kingpost.errors import BadRequest
from kingpost.schema import TextReader
from kingpost.schema.form import tree_of
from tests.unit.schema.kinds import KINDS, Colour, Level


def read(kind: Any, /, **texts: Any) -> tuple[Any, list[tuple[tuple[str | int, ...], str]]]:
    """The value of a form, or the locations and codes of its errors."""
    given = {name: [text] if isinstance(text, str) else text for name, text in texts.items()}
    value, errors = TextReader(kind).read(given, ("form",))
    return value, [(tuple(error["location"])[1:], error["code"]) for error in errors]


GOOD: dict[str, Any] = {
    "title": "Anvil",
    "count": "3",
    "step": "10",
    "ratio": "0.5",
    "paid": "on",
    "price": "12.50",
    "key": "123e4567-e89b-12d3-a456-426614174000",
    "at": "2026-03-31T12:00:00Z",
    "noon": "12:00:00",
    "lasts": "PT2H",
    "colour": "red",
    "level": "1",
    "size": "s",
    "labels": ["a", "b"],
    "lines[0][sku]": "x",
    "lines[0][count]": "1",
    "lines[10][sku]": "z",
    "lines[10][count]": "3",
    "lines[9][sku]": "y",
    "lines[9][count]": "2",
    "span[start]": "2026-01-01",
    "span[end]": "",
    "extra[a]": "1",
    "pair": ["1", "x"],
    "several": "5",
    "note": "",
}


def part(value: Any, name: str) -> Any:
    return value[name] if isinstance(value, dict) else getattr(value, name)


@pytest.mark.parametrize("name", KINDS)
def test_every_type_is_read_from_texts(name: str) -> None:
    value, errors = read(KINDS[name].order, **GOOD)

    assert errors == []
    for field, expected in {
        "title": "Anvil",
        "count": 3,
        "ratio": 0.5,
        "paid": True,
        "price": decimal.Decimal("12.50"),
        "key": uuid.UUID(GOOD["key"]),
        "at": dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC),
        "noon": dt.time(12),
        "lasts": dt.timedelta(hours=2),
        "colour": Colour.RED,
        "level": Level.LOW,
        "labels": ["a", "b"],
        "extra": {"a": 1},
        "pair": (1, "x"),
        "several": 5,
        "note": "",
    }.items():
        assert part(value, field) == expected, field
    assert [part(line, "sku") for line in part(value, "lines")] == ["x", "y", "z"]
    assert part(part(value, "span"), "start") == dt.date(2026, 1, 1)


WRONG: list[tuple[dict[str, Any], list[tuple[tuple[str | int, ...], str]]]] = [
    ({"count": "3.0"}, [(("count",), "not-an-integer")]),
    ({"count": " 3"}, [(("count",), "not-an-integer")]),
    ({"count": ["1", "2"]}, [(("count",), "repeated")]),
    ({"count": ""}, [(("count",), "missing")]),
    ({"count": "0"}, [(("count",), "too-small")]),
    ({"count[a]": "1", "count": []}, [(("count",), "not-an-integer")]),
    ({"title": ""}, [(("title",), "too-short"), (("title",), "wrong-pattern")]),
    ({"title": ["A", "B"]}, [(("title",), "repeated")]),
    ({"ratio": "inf"}, [(("ratio",), "not-a-number")]),
    ({"paid": "maybe"}, [(("paid",), "not-a-boolean")]),
    ({"price": "NaN"}, [(("price",), "not-a-decimal")]),
    ({"key": "{123e4567-e89b-12d3-a456-426614174000}"}, [(("key",), "not-a-uuid")]),
    ({"at": "1700000000"}, [(("at",), "not-a-datetime")]),
    ({"lasts": "x"}, [(("lasts",), "not-a-duration")]),
    ({"colour": "green"}, [(("colour",), "not-a-choice")]),
    ({"level": "3"}, [(("level",), "not-a-choice")]),
    ({"labels": ["a", "long", "c"]}, [(("labels",), "too-long"), (("labels", 1), "too-long")]),
    ({"labels": [], "labels[x]": "a"}, [(("labels",), "not-a-list")]),
    ({"lines[9][count]": "0"}, [(("lines", 1, "count"), "too-small")]),
    ({"lines[0][count]": []}, [(("lines", 0, "count"), "missing")]),
    ({"span[start]": "x"}, [(("span", "start"), "not-a-date")]),
    ({"span[end]": "2025-01-01"}, [(("span", "end"), "before-start")]),
    ({"span[start]": [], "span": "x", "span[end]": []}, [(("span", "start"), "missing")]),
    ({"extra[a]": "x"}, [(("extra", "a"), "not-an-integer")]),
    ({"pair": ["1"]}, [(("pair",), "wrong-length")]),
    ({"title": "x", "count": "x", "span[start]": "", "paid": "?"}, [(("title",), "too-short"), (("title",), "wrong-pattern"), (("count",), "not-an-integer"), (("paid",), "not-a-boolean"), (("span", "start"), "missing")]),
]  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("changes", "told"), WRONG, ids=lambda given: str(given)[:40])
def test_every_kind_tells_the_same_of_texts(
    name: str, changes: dict[str, Any], told: list[Any]
) -> None:
    assert read(KINDS[name].order, **(GOOD | changes))[1] == told


@pytest.mark.parametrize("name", KINDS)
def test_unions_are_told_apart_by_their_field(name: str) -> None:
    kind = KINDS[name].payment

    value, none = read(kind, **{"pays[kind]": "cash", "pays[given]": "5"})
    _, wrong = read(kind, **{"pays[kind]": "card", "pays[number]": "1234"})
    _, neither = read(kind, **{"pays[kind]": "cheque"})
    _, text = read(kind, pays="cash")

    assert (part(part(value, "pays"), "given"), none) == (5, [])
    assert wrong == [(("pays", "number"), "too-long")]
    assert neither == text == [(("pays",), "not-a-choice")]


@pytest.mark.parametrize("name", KINDS)
def test_unknown_names_are_refused_where_the_class_says_so(name: str) -> None:
    assert read(KINDS[name].closed, name="x", other="1")[1] == [(("other",), "unknown-field")]


class Filter(Struct, rename="camel"):
    min_price: int | None = None
    tags: list[str] = []
    words: Annotated[list[str], Meta(max_length=2)] = []
    kind: Literal["a", 1, True] | None = None
    either: int | list[str] | None = None
    anything: Any = None
    text: str | None = None
    number: int | str = 0


def test_lists_come_in_three_spellings() -> None:
    value, errors = read(Filter, **{"tags": ["a"], "tags[]": ["b", "c"], "tags[0]": "d"})

    assert (value.tags, errors) == (["a", "b", "c", "d"], [])


def test_names_are_those_of_the_wire_and_nothing_is_no_value() -> None:
    value, errors = read(Filter, minPrice="", kind="true", anything=["a", "b"], text="")

    assert errors == []
    assert (value.min_price, value.kind, value.anything, value.text) == (None, True, ["a", "b"], "")
    assert read(Filter, kind="1", number="5x")[0].kind == 1
    assert read(Filter, number="5x")[0].number == "5x"
    assert read(Filter, either="7")[0].either == 7
    assert read(Filter, either=["x", "y"])[0].either == ["x", "y"]
    assert read(Filter, either="")[0].either is None
    assert read(Filter, **{"anything[a][b]": "1"})[0].anything == {"a": {"b": "1"}}


def test_a_mapping_is_read_whose_names_are_not_known() -> None:
    assert read(dict[str, int], a="1", b="2") == ({"a": 1, "b": 2}, [])
    assert read(dict[str, int | None], a="")[0] == {"a": None}


def test_what_has_no_names_is_not_read_from_them() -> None:
    with pytest.raises(TypeError, match="only a class with named fields"):
        TextReader(list[int])


def test_brackets_that_do_not_match_are_part_of_a_name() -> None:
    assert list(tree_of({"a[b": ["1"], "a]": ["2"], "[a]": ["3"], "a[b]c": ["4"]}).below) == [
        "a[b",
        "a]",
        "[a]",
        "a[b]c",
    ]


def test_brackets_are_bounded() -> None:
    deepest = "a" + "[b]" * limits.FORM_DEPTH

    tree_of({deepest: ["1"]})
    with pytest.raises(BadRequest) as refused:
        tree_of({deepest + "[b]": ["1"]})

    assert refused.value.code == "form.too-deep"


class Row(NamedTuple):
    x: int
    y: int = 5


class Point(pydantic.BaseModel):
    x: int


@dataclasses.dataclass
class Both:
    row: Row
    point: Point


def test_rows_and_mixed_families_are_read() -> None:
    value, errors = read(Both, **{"row": ["1", "2"], "point[x]": "3"})

    assert errors == []
    assert (value.row, value.point.x) == ((1, 2), 3)
    assert read(Both, **{"row": ["1", "x"], "point[x]": "y"})[1] == [
        (("row", 1), "not-an-integer"),
        (("point", "x"), "not-an-integer"),
    ]


class Blob(pydantic.BaseModel):
    data: bytes


def test_bytes_of_pydantic_are_base64_in_a_form_as_well() -> None:
    value, errors = read(Blob, data="//4=")

    assert (value.data, errors) == (b"\xff\xfe", [])
    assert read(Blob, data="a")[1] == [(("data",), "not-base64")]
