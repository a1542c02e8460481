"""The general reader reads what the decoders read, within its limits."""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import tracemalloc
import uuid
from typing import Annotated, Any, Literal, NamedTuple

import annotated_types
import attrs
import msgspec
import pydantic
import pydantic_core
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from kingpost.app.json import encode_json
from kingpost.schema import Decoder, Invalid, check, type_of
from kingpost.schema.problems import MAX_ERRORS
from kingpost.schema.read import read
from tests.unit.schema.kinds import KINDS, Colour, Level


def accepts(kind: Any, document: bytes) -> bool:
    try:
        Decoder(kind).decode(document)
    except ValueError:
        return False
    return True


def told(kind: Any, given: Any) -> list[tuple[tuple[str | int, ...], str]]:
    _, errors = read(type_of(kind), given, ())
    return [(tuple(error["location"]), error["code"]) for error in errors]


WORDS = st.sampled_from(["", "A", "Ab", "Anvil", "Abcdefghijk", "x", "red", "s", "card", "cash", "1", "2026-01-01", "2026-01-01T00:00:00Z", "12:00:00", "PT1H", "123e4567-e89b-12d3-a456-426614174000", "1.5", "-3", "NaN"])  # fmt: skip
NAMES = st.sampled_from(["title", "count", "name", "children", "kind", "number", "given", "pays", "also", "spans", "start", "end", "a", "x"])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers(-2, 120) | st.floats(-2, 2) | WORDS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


class Small(Struct, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=2, max_length=10, pattern="^[A-Z]")]
    count: Annotated[int, Meta(ge=1, le=100, multiple_of=2)] = 2
    x: float | None = None
    a: tuple[int, str] | bool | None = None


class Tagged(Struct, tag="card", tag_field="kind"):
    number: Literal["1", 2] | None = None


class Other(Struct, tag="cash", tag_field="kind"):
    given: set[int] | dict[str, float]


class Row(Struct, array_like=True):
    a: int
    b: dt.date | None = None


class Named(NamedTuple):
    x: int
    y: float = 1


TYPES: list[Any] = [
    int, float, str, bool, None, dt.date, dt.datetime, dt.time, dt.timedelta, uuid.UUID, decimal.Decimal, bytes, Colour, Level,
    Annotated[str, Meta(min_length=2)], Annotated[list[int], Meta(max_length=2)], dict[str, int], dict[int, int], dict[Level, bool],
    dict[dt.date, int], dict[Annotated[str, Meta(max_length=1)], int], int | str | None, list[str] | int, Small, Tagged | Other | None,
    Tagged, Row, Named, list[Row], Annotated[dt.datetime, Meta(tz=True)], Annotated[dt.time, Meta(tz=False)],
    *[kind.node for kind in KINDS.values()], *[kind.payment for kind in KINDS.values()], *[kind.span for kind in KINDS.values()],
    *[kind.closed for kind in KINDS.values()],
]  # fmt: skip


@pytest.mark.parametrize("kind", TYPES, ids=str)
@given(value=JSON)
@settings(max_examples=120)
def test_what_is_decoded_is_read_and_nothing_else(kind: Any, value: Any) -> None:
    document = msgspec.json.encode(value)

    assert accepts(kind, document) == (told(kind, msgspec.json.decode(document)) == [])


@pytest.mark.parametrize("name", KINDS)
@given(value=st.dictionaries(st.sampled_from(["start", "end"]), WORDS | st.none()))
def test_rules_across_fields_are_judged_alike(name: str, value: Any) -> None:
    found = told(KINDS[name].span, value)

    assert found == told(KINDS["struct"].span, value)
    assert accepts(KINDS[name].span, msgspec.json.encode(value)) == (found == [])


@pytest.mark.parametrize("name", KINDS)
def test_values_are_the_same_whoever_reads_them(name: str) -> None:
    kind = KINDS[name].span
    document = b'{"start":"2026-01-01","end":"2026-01-02"}'

    value, errors = Decoder(kind).read(msgspec.json.decode(document), ())

    assert (value, errors) == (Decoder(kind).decode(document), [])


@pytest.mark.parametrize(("items", "errors"), [(99, 99), (100, 100), (101, 100), (10_000, 100)])
def test_errors_are_bounded(items: int, errors: int) -> None:
    assert len(told(list[int], ["x"] * items)) == errors
    assert MAX_ERRORS == 100


def test_whole_numbers_are_bounded_by_no_double() -> None:
    assert told(float, 10**400) == [((), "not-a-number")]
    assert told(int, 10**400) == []


class Bounded(Struct):
    day: Annotated[dt.date, annotated_types.Ge(dt.date(2026, 1, 1))]
    price: Annotated[decimal.Decimal, annotated_types.Gt(decimal.Decimal(0))]
    number: Annotated[int, annotated_types.Interval(ge=1, le=3)]


def test_rules_that_msgspec_does_not_know_hold_as_well() -> None:
    decoder = Decoder(Bounded)

    assert decoder.way == "general"
    assert decoder.decode(b'{"day":"2026-01-01","price":"0.1","number":1}').number == 1
    assert told(Bounded, {"day": "2025-12-31", "price": "0", "number": 4}) == [
        (("day",), "too-small"),
        (("price",), "too-small"),
        (("number",), "too-large"),
    ]


class OurRules(pydantic.BaseModel):
    name: Annotated[str, Meta(max_length=3)]
    ids: list[Annotated[int, Meta(ge=1)]] = []


def test_rules_that_pydantic_does_not_know_hold_as_well() -> None:
    assert Decoder(OurRules).way == "checked"
    assert accepts(OurRules, b'{"name":"abc","ids":[1]}')
    assert not accepts(OurRules, b'{"name":"abcd"}')
    assert not accepts(OurRules, b'{"name":"abc","ids":[0]}')


class Price(Struct):
    amount: decimal.Decimal
    others: dict[str, list[decimal.Decimal | None]] = {}
    pair: tuple[decimal.Decimal, int] | None = None


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_decimal_is_a_number(text: str) -> None:
    for document in (
        {"amount": text},
        {"amount": 1, "others": {"a": [None, text]}},
        {"amount": 1, "pair": [text, 1]},
    ):
        assert not accepts(Price, msgspec.json.encode(document))
        assert [code for _, code in told(Price, document)] == ["not-a-decimal"]
    assert accepts(Price, b'{"amount":1,"others":{"a":[null,1.5]},"pair":[1,1]}')


class Own(pydantic.BaseModel):
    """Validators of every kind."""

    small: int
    email: str
    number: Annotated[int, pydantic.BeforeValidator(lambda given: given)]

    @pydantic.field_validator("email")
    @classmethod
    def has_at(cls, value: str) -> str:
        if "@" not in value:
            raise ValueError("must have an @")
        return value

    @pydantic.field_validator("small")
    @classmethod
    def is_small(cls, value: int) -> int:
        if value >= 10:
            raise AssertionError("must be small")
        return value


def test_checks_of_pydantic_s_fields_are_told_where_they_stand() -> None:
    _, errors = read(type_of(Own), {"small": 10, "email": "x", "number": "5"}, ("body",))

    assert [(error["location"], error["code"], error["message"]) for error in errors] == [
        (("body", "small"), "invalid", "must be small"),
        (("body", "email"), "invalid", "must have an @"),
        (("body", "number"), "invalid", "is not valid"),
    ]
    # They are not asked where a field is wrong: pydantic asks for all of them at once.
    assert told(Own, {"small": "x", "email": "x", "number": 5}) == [(("small",), "not-an-integer")]


class Changed(pydantic.BaseModel):
    name: str
    size: int = 1

    @pydantic.model_validator(mode="before")
    @classmethod
    def change(cls, given: object) -> object:
        return {"name": given} if isinstance(given, str) else given


def test_a_model_that_changes_its_input_is_read_by_pydantic_alone() -> None:
    assert Decoder(Changed).decode(b'"x"').name == "x"
    assert told(Changed, {"size": "x"}) == [(("name",), "missing"), (("size",), "invalid")]


@attrs.define
class Limited:
    count: int = attrs.field(validator=attrs.validators.lt(5))
    name: str = attrs.field(default="", validator=attrs.validators.instance_of(str))


def test_validators_of_attrs_are_told_at_the_object() -> None:
    _, errors = read(type_of(Limited), {"count": 9}, ("body",))

    assert [(error["location"], error["code"], error["message"]) for error in errors] == [
        (("body",), "invalid", "'count' must be < 5: 9")
    ]


class Deep(Struct, rename="camel"):
    inner_lines: list[Small] = []


@check(Deep)
def first_is_large(deep: Deep) -> None:
    if deep.inner_lines and deep.inner_lines[0].count < 10:
        raise Invalid("must be ten or more", "inner_lines", 0, "count", code="small-first")


@check(Deep)
def not_four(deep: Deep) -> None:
    if len(deep.inner_lines) == 4:
        raise TypeError("four is no number of lines")


def test_a_rule_names_the_way_as_the_class_spells_it() -> None:
    line = {"title": "Ab", "count": 4}

    _, one = read(type_of(Deep), {"innerLines": [line]}, ("body",))
    _, four = read(type_of(Deep), {"innerLines": [line] * 4}, ("body",))

    assert one == [
        {
            "location": ("body", "innerLines", 0, "count"),
            "code": "small-first",
            "message": "must be ten or more",
            "input": 4,
        }
    ]
    assert [error["code"] for error in four] == ["small-first", "invalid"]
    assert Decoder(Deep).way == "checked"
    assert not accepts(Deep, msgspec.json.encode({"innerLines": [line]}))
    assert accepts(Deep, b'{"innerLines":[]}')


def test_an_exception_that_is_no_refusal_is_nobody_s_input() -> None:
    class Broken(Struct):
        x: int

        def __post_init__(self) -> None:
            raise KeyError("a bug")

    Broken.__annotations__["x"] = int
    with pytest.raises(KeyError):
        Decoder(Broken).decode(b'{"x":1}')
    with pytest.raises(KeyError):
        read(type_of(Broken), {"x": 1}, ())


class ByName(pydantic.BaseModel, validate_by_name=True, validate_by_alias=True):
    full_name: str = pydantic.Field(alias="fullName")
    age: int


class Anywhere(pydantic.BaseModel):
    name: str = pydantic.Field(validation_alias=pydantic.AliasChoices("a", "b"))


def test_other_names_of_pydantic_s_are_read() -> None:
    assert (
        told(ByName, {"full_name": "x", "age": 1})
        == told(ByName, {"fullName": "x", "age": 1})
        == []
    )
    assert told(ByName, {"full_name": 5}) == [(("full_name",), "not-text"), (("age",), "missing")]
    assert told(ByName, {"age": 1}) == [(("fullName",), "missing")]
    assert Decoder(Anywhere).decode(b'{"b":"x"}').name == "x"
    assert [code for _, code in told(Anywhere, {})] == ["missing"]


@pydantic.dataclasses.dataclass
class Checked:
    x: Annotated[int, pydantic.Field(ge=1)]


def test_pydantic_s_dataclasses_are_pydantic_s() -> None:
    assert Decoder(Checked).decode(b'{"x":1}').x == 1
    assert told(Checked, {"x": 0}) == [(("x",), "too-small")]
    assert not accepts(Checked, b'{"x":0}')
    assert not accepts(Checked, b'{"x":"1"}')


class Blob(pydantic.BaseModel):
    data: bytes
    lasts: dt.timedelta = dt.timedelta(hours=1)


class Spelled(pydantic.BaseModel):
    """Spells all in its own way."""

    model_config = pydantic.ConfigDict(
        val_json_bytes="hex", ser_json_bytes="hex", ser_json_timedelta="float"
    )

    data: bytes
    lasts: dt.timedelta = dt.timedelta(hours=1)
    blob: Blob | None = None


class OwnTypes(pydantic.BaseModel):
    """Types that read their bytes themselves."""

    encoded: pydantic.Base64Bytes
    listed: list[pydantic.Base64UrlBytes]
    secret: pydantic.SecretBytes
    shifted: Annotated[bytes, pydantic.BeforeValidator(lambda text: text.encode() + b"!")]


class Left(pydantic.BaseModel):
    type: Literal["left"]
    data: bytes


class Right(pydantic.BaseModel):
    type: Literal["right"]
    lines: dict[str, list[Blob]]


class Tree(pydantic.BaseModel):
    """Leads to itself, and keeps what it does not know."""

    model_config = pydantic.ConfigDict(extra="allow")

    side: Annotated[Left | Right, pydantic.Field(discriminator="type")] | None = None
    under: list[Tree] = []
    at: dt.datetime | None = None


class Root(pydantic.RootModel[bytes]):
    pass


@pydantic.dataclasses.dataclass
class BlobOfDataclass:
    data: bytes


@attrs.define
class Mixed:
    blob: Blob
    data: bytes


@pytest.mark.parametrize(
    ("kind", "document", "value", "answer"),
    [
        (Blob, b'{"data":"//4="}', Blob(data=b"\xff\xfe"), b'{"data":"//4=","lasts":"PT3600S"}'),
        (BlobOfDataclass, b'{"data":"//4="}', BlobOfDataclass(b"\xff\xfe"), b'{"data":"//4="}'),
        (Root, b'"//4="', Root(b"\xff\xfe"), b'"//4="'),
        (Mixed, b'{"blob":{"data":"//4="},"data":"YQ=="}', Mixed(Blob(data=b"\xff\xfe"), b"a"), b'{"blob":{"data":"//4=","lasts":"PT3600S"},"data":"YQ=="}'),
        # What a class says of itself holds for it, and for none of its parts.
        (
            Spelled,
            b'{"data":"fffe","blob":{"data":"//4="}}',
            Spelled(data=b"\xff\xfe", blob=Blob(data=b"\xff\xfe")),
            b'{"data":"fffe","lasts":3600.0,"blob":{"data":"//4=","lasts":"PT3600S"}}',
        ),
        (
            OwnTypes,
            b'{"encoded":"YQ==","listed":["YQ=="],"secret":"s","shifted":"a"}',
            OwnTypes.model_construct(encoded=b"a", listed=[b"a"], secret=pydantic.SecretBytes(b"s"), shifted=b"a!"),
            b'{"encoded":"YQ==","listed":["YQ=="],"secret":"**********","shifted":"a!"}',
        ),
        (
            Tree,
            b'{"more":[1.5,"x"],"under":[{"side":{"type":"right","lines":{"a":[{"data":"//4="}]}}},{"side":{"type":"left","data":"YQ=="}}],"at":"2026-01-01T00:00:00.1234567Z"}',
            Tree.model_validate(
                {
                    "under": [
                        Tree(side=Right(type="right", lines={"a": [Blob(data=b"\xff\xfe")]})),
                        Tree(side=Left(type="left", data=b"a")),
                    ],
                    "at": dt.datetime(2026, 1, 1, 0, 0, 0, 123457, dt.UTC),
                    "more": [1.5, "x"],
                }
            ),
            (b'{"side":null,"under":[{"side":{"type":"right","lines":{"a":[{"data":"//4=","lasts":"PT3600S"}]}},"under":[],"at":null},'
            b'{"side":{"type":"left","data":"YQ=="},"under":[],"at":null}],"at":"2026-01-01T00:00:00.123457Z","more":[1.5,"x"]}'),
        ),
    ],
)  # fmt: skip
def test_pydantic_spells_as_the_others_do_unless_a_class_says_otherwise(
    kind: Any, document: bytes, value: Any, answer: bytes
) -> None:
    assert Decoder(kind).decode(document) == value
    assert read(type_of(kind), msgspec.json.decode(document), ()) == (value, [])
    assert encode_json(value) == answer


def test_bytes_that_only_pydantic_reads_are_refused_where_they_stand() -> None:
    assert not accepts(Root, b'"Y"')
    assert told(Root, "Y") == [((), "invalid")]
    assert told(Spelled, {"data": "//4="}) == [(("data",), "invalid")]


class Several(pydantic.BaseModel):
    amount: decimal.Decimal | str
    key: uuid.UUID | str
    at: dt.datetime | dt.timedelta | str
    number: decimal.Decimal | int


def test_what_several_types_could_take_is_for_pydantic_to_choose() -> None:
    document = (
        b'{"amount":"1.50","key":"123E4567-E89B-12D3-A456-426614174000","at":"PT1H","number":5}'
    )

    value = Decoder(Several).decode(document)

    assert value == Several.model_validate_json(document, strict=True)
    assert type(value.number) is int


class MoneyByName(pydantic.BaseModel, validate_by_name=True, validate_by_alias=True):
    amount: decimal.Decimal = pydantic.Field(alias="theAmount")
    rest: list[decimal.Decimal] = pydantic.Field(default=[], alias="theRest")


@pytest.mark.parametrize("name", ["amount", "theAmount"])
def test_no_digit_is_lost_whichever_name_a_field_has(name: str) -> None:
    document = f'{{"{name}":0.1234567890123456789012345,"rest":[1e400]}}'.encode()

    value = Decoder(MoneyByName).decode(document)

    assert (str(value.amount), [str(each) for each in value.rest]) == (
        "0.1234567890123456789012345",
        ["1E+400"],
    )
    assert not accepts(MoneyByName, b"{}")
    assert not accepts(MoneyByName, f'{{"{name}":true}}'.encode())


def test_the_class_itself_stays_as_it_was() -> None:
    assert (
        encode_json(Decoder(Blob).decode(b'{"data":"YQ=="}'))
        == b'{"data":"YQ==","lasts":"PT3600S"}'
    )
    assert Blob.model_validate_json('{"data":"YQ=="}').data == b"YQ=="
    assert Blob(data=b"a").model_dump_json() == '{"data":"a","lasts":"PT1H"}'


def test_pydantic_before_2_13_spells_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    class Outer(pydantic.BaseModel):
        blob: Blob

    # Their signatures do not say that classes can be asked for anew.
    for name in ("SchemaValidator", "SchemaSerializer"):
        monkeypatch.setattr(pydantic_core, name, functools.partial(getattr(pydantic_core, name)))

    value = Decoder(Outer).decode(b'{"blob":{"data":"//4="}}')

    assert value == Outer(blob=Blob(data=b"\xff\xfe"))
    assert encode_json(value) == b'{"blob":{"data":"//4=","lasts":"PT3600S"}}'
    assert Outer.__pydantic_complete__
    assert Blob.__pydantic_complete__


def test_models_with_nothing_that_pydantic_reads_otherwise_are_read_in_one_pass() -> None:
    class Plain(pydantic.BaseModel):
        name: str
        colour: Colour
        size: Literal["s"] | None

    assert Decoder(Plain).way == "native"
    assert Decoder(Blob).way == "checked"


def test_unions_that_neither_library_tells_apart_are_refused() -> None:
    for kind, words in (
        (KINDS["dataclass"].node | KINDS["dataclass"].span, "cannot be told apart"),
        (KINDS["struct"].node | dict[str, KINDS["attrs"].node], "both written as objects"),
        (list[KINDS["attrs"].node] | tuple[int, KINDS["pydantic"].node], "both written as lists"),
    ):
        with pytest.raises(TypeError, match=words):
            Decoder(kind)


class Entry(Struct):
    name: Annotated[str, Meta(max_length=40)]
    count: Annotated[int, Meta(ge=0)]
    text: Annotated[str, Meta(max_length=500)]


def test_ten_megabytes_are_validated_in_three_times_their_memory() -> None:
    entry = msgspec.json.encode(Entry("an entry of a journal", 123456, "some words of it " * 20))
    document = b"[" + b",".join([entry] * (10 * 1024 * 1024 // len(entry))) + b"]"
    decode = Decoder(list[Entry]).decode

    tracemalloc.start()
    try:
        entries = decode(document)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(entries) > 20_000
    # The document itself, and what was made of it.
    assert len(document) + peak < 3 * len(document)


def test_a_long_list_of_choices_is_counted() -> None:
    kind = type_of(Literal[tuple(f"choice-{number}" for number in range(100))])

    _, errors = read(kind, "x", ())

    assert [error["message"] for error in errors] == ["must be one of 100 choices"]


@pytest.mark.parametrize(
    ("rule", "given", "message"),
    [
        (Meta(min_length=1), "", "must have 1 character or more"),
        (Meta(min_length=2), "a", "must have 2 characters or more"),
        (Meta(max_length=0), "a", "must have 0 characters or fewer"),
        (Meta(max_length=1), "ab", "must have 1 character or fewer"),
    ],
)
def test_one_is_singular(rule: Meta, given: str, message: str) -> None:
    _, errors = read(type_of(Annotated[str, rule]), given, ())
    assert [error["message"] for error in errors] == [message]


def test_one_item_is_singular() -> None:
    _, errors = read(type_of(Annotated[list[int], Meta(min_length=1)]), [], ())
    assert [error["message"] for error in errors] == ["must have 1 item or more"]
