"""Descriptions of classes, the same for every kind."""

from __future__ import annotations

import dataclasses
import enum
import warnings
from collections.abc import Mapping, MutableSequence, Sequence
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Required,
    TypedDict,
    TypeVar,
)

import annotated_types
import attrs
import msgspec
import pydantic
import pytest
from msgspec import Meta, Struct, UnsetType

from kingpost.schema import (
    AnyType,
    ChoiceType,
    ListType,
    MapType,
    ModelType,
    OpaqueType,
    Private,
    Rules,
    ScalarType,
    TupleType,
    UnionType,
    closed,
    codec_of,
    describe,
    models_in,
    type_of,
    types_in,
)
from kingpost.schema.model import NO_DEFAULT
from tests.unit.schema.kinds import KINDS, Colour, DSpan

T = TypeVar("T")
UserId = NewType("UserId", int)


def shown(kind: Any) -> list[tuple[Any, ...]]:
    return [
        (field.name, field.alias, field.required, field.is_optional, field.is_list, field.choices, field.constraints, field.model and [each.name for each in field.model.fields])
        for field in describe(kind).fields
    ]  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_the_same_description(name: str) -> None:
    told = shown(KINDS[name].order)

    assert told == shown(KINDS["struct"].order)
    assert told[0] == (
        "title",
        "title",
        True,
        False,
        False,
        (),
        Rules(min_length=2, max_length=10, pattern="^[A-Z]"),
        None,
    )
    assert told[10][5] == ("red", "blue")
    assert told[14][7] == ["sku", "count"]


def test_words_for_people_are_in_the_field() -> None:
    class Item(Struct):
        """A thing.

        In two lines.
        """

        name: Annotated[
            str,
            Meta(
                title="Name",
                description="what it is called",
                examples=["anvil"],
                extra_json_schema={"deprecated": True, "x-y": 1},
            ),
        ]
        secret: Annotated[str, Private] = ""

    Item.__annotations__["name"] = Annotated[
        str,
        Meta(
            title="Name",
            description="what it is called",
            examples=["anvil"],
            extra_json_schema={"deprecated": True, "x-y": 1},
        ),
    ]
    Item.__annotations__["secret"] = Annotated[str, Private]

    class Model(pydantic.BaseModel):
        name: str = pydantic.Field(
            title="Name",
            description="what it is called",
            examples=["anvil"],
            deprecated=True,
            json_schema_extra={"x-y": 1},
        )
        secret: str = pydantic.Field(default="", exclude=True)

    for kind in (Item, Model):
        field, secret = describe(kind).fields
        assert (field.title, field.description, field.examples) == (
            "Name",
            "what it is called",
            ("anvil",),
        )
        assert (field.deprecated, field.extra, field.private, secret.private) == (
            True,
            {"x-y": 1},
            False,
            True,
        )
    assert describe(Item).description == "A thing.\n\nIn two lines."


def test_defaults_are_values_or_made() -> None:
    fields = {field.name: field for field in describe(KINDS["dataclass"].order).fields}

    assert fields["note"].make_default() is None
    assert fields["tags"].make_default() == []
    assert fields["title"].default is NO_DEFAULT
    with pytest.raises(LookupError, match="title has no default"):
        fields["title"].make_default()


class Page(Struct, Generic[T]):
    items: list[T]


@dataclasses.dataclass
class Box(Generic[T]):
    inside: T
    more: list[T]


@dataclasses.dataclass
class IntBox(Box[int]):
    label: str


class Keys(TypedDict, total=False):
    always: Required[int]
    sometimes: str


class MoreKeys(Keys):
    here: NotRequired[int]
    there: int


class Row(NamedTuple):
    x: int
    y: int = 2


class Odd(enum.Enum):
    A = "a"


@attrs.define
class Made:
    plain: int
    listed: list[int] = attrs.field(factory=list)
    hidden: int = attrs.field(default=3, init=False)


def test_type_arguments_are_put_in() -> None:
    assert describe(Page[int]).fields[0].type == ListType(
        item=ScalarType(name="integer", cls=int), container=list
    )
    assert describe(Box[str]).fields[0].type == ScalarType(name="text", cls=str)
    assert describe(IntBox).fields[0].type == ScalarType(name="integer", cls=int)
    assert isinstance(describe(Box).fields[0].type, AnyType)


def test_keys_of_a_typed_dict_are_required_or_not() -> None:
    assert {field.name: field.required for field in describe(MoreKeys).fields} == {
        "always": True,
        "sometimes": False,
        "here": False,
        "there": True,
    }


def test_a_row_is_a_model_without_names_on_the_wire() -> None:
    model = describe(Row)

    assert model.array_like
    assert [field.required for field in model.fields] == [True, False]


@pytest.mark.parametrize(
    ("annotation", "described"),
    [
        (int, ScalarType(name="integer", cls=int)),
        (UserId, ScalarType(name="integer", cls=int)),
        (None, ScalarType(name="null", cls=type(None))),
        (Any, AnyType()),
        (Odd, ChoiceType(values=("a",), enum=Odd)),
        (Literal["a", 1], ChoiceType(values=("a", 1))),
        (Annotated[int, Meta(ge=1)], ScalarType(name="integer", cls=int, rules=Rules(ge=1))),
        (Annotated[int, annotated_types.Ge(1)], ScalarType(name="integer", cls=int, rules=Rules(ge=1))),
        (Annotated[str, annotated_types.Len(1, 2)], ScalarType(name="text", cls=str, rules=Rules(min_length=1, max_length=2))),
        (Annotated[int, annotated_types.Interval(ge=1, lt=3)], ScalarType(name="integer", cls=int, rules=Rules(ge=1, lt=3))),
        (Annotated[int | None, Meta(ge=1)], UnionType(members=(ScalarType(name="integer", cls=int, rules=Rules(ge=1)),), takes_null=True)),
        (int | UnsetType, ScalarType(name="integer", cls=int)),
        (Annotated[int | str, annotated_types.Ge(1), annotated_types.MaxLen(2)], UnionType(members=(ScalarType(name="integer", cls=int, rules=Rules(ge=1)), ScalarType(name="text", cls=str, rules=Rules(max_length=2))), takes_null=False)),
        (Sequence[int], ListType(item=ScalarType(name="integer", cls=int), container=list)),
        (MutableSequence[int], ListType(item=ScalarType(name="integer", cls=int), container=list)),
        (frozenset[str], ListType(item=ScalarType(name="text", cls=str), container=frozenset)),
        (tuple, ListType(item=AnyType(), container=tuple)),
        (tuple[int, str], TupleType(items=(ScalarType(name="integer", cls=int), ScalarType(name="text", cls=str)))),
        (dict, MapType(key=ScalarType(name="text", cls=str), value=AnyType())),
        (Mapping[str, int], MapType(key=ScalarType(name="text", cls=str), value=ScalarType(name="integer", cls=int))),
        (msgspec.Raw, OpaqueType(annotation=msgspec.Raw)),
    ],
    ids=str,
)  # fmt: skip
def test_annotations_are_described(annotation: Any, described: object) -> None:
    assert type_of(annotation) == described


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (complex, "no JSON becomes complex"),
        (Annotated[str, Meta(ge=1)], "ge is no rule for str"),
        (Annotated[int, Meta(max_length=1)], "max_length is no rule for int"),
        (Annotated[bool, Meta(pattern="x")], "pattern is no rule for bool"),
    ],
    ids=str,
)
def test_what_no_json_becomes_is_refused(annotation: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        type_of(annotation)


def test_what_has_no_fields_is_not_described() -> None:
    with pytest.raises(TypeError, match="has no named fields"):
        describe(list[int])


def test_what_is_only_sent_may_be_anything() -> None:
    assert type_of(complex, outgoing=True) == OpaqueType(annotation=complex)


def test_a_model_leads_to_itself() -> None:
    model = describe(KINDS["pydantic"].node)

    assert model.fields[1].model is model
    assert list(models_in(model.type)) == [model]
    assert len(list(types_in(model.type))) == 4


def test_a_class_is_closed_for_one_place() -> None:
    kind = type_of(Annotated[DSpan, closed])

    assert isinstance(kind, ModelType)
    assert (kind.closed, kind.model.closed) == (True, False)


def test_attrs_makes_defaults_and_hides_what_is_not_given() -> None:
    fields = {field.name: field for field in describe(Made).fields}

    assert fields["listed"].make_default() == []
    assert (fields["plain"].required, fields["hidden"].required) == (True, False)


def test_a_default_that_takes_the_object_is_refused() -> None:
    @attrs.define
    class Own:
        x: int = attrs.field(default=attrs.Factory(lambda self: 1, takes_self=True))

    with pytest.raises(TypeError, match="makes its default from the object"):
        describe(Own)


def test_codecs_are_found_by_class() -> None:
    assert codec_of(int) is None
    assert {codec_of(kind.span).family for kind in KINDS.values()} == {"msgspec", "pydantic"}  # type: ignore[union-attr]  # each of these has one


def test_changes_before_the_type_make_a_field_pydantics_own() -> None:
    class Own(pydantic.BaseModel):
        a: Annotated[int, pydantic.BeforeValidator(int)]
        b: int
        c: Annotated[str, pydantic.StringConstraints(strip_whitespace=True)]

        @pydantic.field_validator("b", mode="before")
        @classmethod
        def change(cls, value: object) -> object:
            return value

    assert [type(field.type) for field in describe(Own).fields] == [OpaqueType] * 3


def test_deprecated_is_python_s_own_marker() -> None:
    marker = type("deprecated", (), {"category": DeprecationWarning})()
    assert getattr(warnings, "deprecated", None) is None or callable(warnings.deprecated)

    class Old(Struct):
        x: int

    Old.__annotations__["x"] = Annotated[int, marker]
    assert describe(Old).fields[0].deprecated
    assert Colour.RED.value == "red"
