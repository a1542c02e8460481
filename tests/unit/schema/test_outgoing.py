"""What leaves in an answer."""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import attrs
import msgspec
import pydantic
import pytest
from msgspec import Meta, Struct
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from kingpost.app.json import encode_json
from kingpost.app.shape import shape_of
from kingpost.errors import ConfigurationError
from kingpost.html import Html
from kingpost.schema import Only, Partial, Private, Without

T = TypeVar("T")
Hidden = Annotated[str, Private()]


class Pet(Struct, tag=True):
    name: str
    chip: Hidden = "hidden"


class Car(Struct, tag=True, rename="camel"):
    number_plate: str
    key_code: Hidden = "hidden"


class Node(Struct):
    name: str
    code: Hidden = "hidden"
    children: list[Node] = []
    parent: Node | None = None


class Page(Struct, Generic[T]):
    items: list[T]
    total: int = 0


class Public(Struct):
    name: str


class More(Public, kw_only=True):
    code: Hidden = "hidden"


class Holder(Struct):
    public: Public
    anything: Any = None


class Sparse(Struct, omit_defaults=True):
    name: str = ""
    tags: list[str] = []
    code: Hidden = "hidden"


class RowOf(Struct, array_like=True):
    name: str
    code: Hidden = "hidden"


class Point(NamedTuple):
    x: int
    code: Hidden = "hidden"


@attrs.define
class Gem:
    carat: int
    _cut: str = "hidden"
    code: Hidden = "hidden"


@dataclasses.dataclass
class Things:
    pet: Pet | Car
    pets: dict[str, Pet] = dataclasses.field(default_factory=dict[str, Pet])
    maybe: Pet | None = None
    gems: tuple[Gem, ...] = ()
    model: Model | None = None
    html: Html | None = None


class Inner(pydantic.BaseModel):
    name: str
    code: Hidden = "hidden"


class Model(pydantic.BaseModel):
    inner: Inner
    listed: list[Inner] = []
    mapped: dict[str, Inner] = {}
    options: Keys | None = None
    label: str = pydantic.Field(default="x", alias="theLabel")

    @pydantic.computed_field
    @property
    def doubled(self) -> str:
        return self.label * 2


class Keys(TypedDict):
    one: int
    code: Hidden


Odd = TypedDict("Odd", {"a-b": int, "class": int})

Things.__annotations__["model"] = Model | None
INNER = Inner(name="i")


def sent(annotation: Any, value: Any) -> Any:
    shape = shape_of(annotation)
    document = encode_json(value if shape is None else shape(value))
    assert b"hidden" not in document
    return msgspec.json.decode(document)


@pytest.mark.parametrize(
    ("annotation", "value", "told"),
    [
        (Pet, Pet("Rex"), {"type": "Pet", "name": "Rex"}),
        (Pet | Car, Car("W 1"), {"type": "Car", "numberPlate": "W 1"}),
        (Pet | Car, {"type": "Pet", "name": "Rex"}, {"type": "Pet", "name": "Rex"}),
        (list[Pet | Car], [Pet("Rex"), Car("W")], [{"type": "Pet", "name": "Rex"}, {"type": "Car", "numberPlate": "W"}]),
        (dict[str, Pet], MappingProxyType({"a": Pet("Rex")}), {"a": {"type": "Pet", "name": "Rex"}}),
        (tuple[Pet, int], (Pet("Rex"), 1), [{"type": "Pet", "name": "Rex"}, 1]),
        (Pet | None, None, None),
        (list[Pet | None], [None, Pet("Rex")], [None, {"type": "Pet", "name": "Rex"}]),
        (list[Public | None], [None, More("x")], [None, {"name": "x"}]),
        (Pet | str, "text", "text"),
        (list[Pet] | Car, [Pet("Rex")], [{"type": "Pet", "name": "Rex"}]),
        (Page[Pet], Page([Pet("Rex")]), {"items": [{"type": "Pet", "name": "Rex"}], "total": 0}),
        (Page[int], Page([1]), {"items": [1], "total": 0}),
        (Node, Node("a", children=[Node("b", children=[Node("c")])], parent=Node("p")), {"name": "a", "children": [{"name": "b", "children": [{"name": "c", "children": [], "parent": None}], "parent": None}], "parent": {"name": "p", "children": [], "parent": None}}),
        (Holder, Holder(More("x"), anything=[More("y")]), {"public": {"name": "x"}, "anything": [{"name": "y"}]}),
        (Any, Holder(More("x")), {"public": {"name": "x"}, "anything": None}),
        (Any, Sparse("x"), {"name": "x"}),
        (Sparse, Sparse("x"), {"name": "x", "tags": []}),
        (RowOf, RowOf("x"), ["x"]),
        (Any, [RowOf("x"), Point(1), {1, 2}], [["x"], [1], [1, 2]]),
        (Point, Point(1), [1]),
        (Gem, Gem(1), {"carat": 1}),
        (Any, {"gem": Gem(1)}, {"gem": {"carat": 1}}),
        (Keys, {"one": 1, "code": "hidden", "more": 2}, {"one": 1}),
        (Odd, {"a-b": 1, "class": 2, "more": 3}, {"a-b": 1, "class": 2}),
        (Public, SimpleNamespace(name="x", code="hidden"), {"name": "x"}),
        (Public, MappingProxyType({"name": "x", "code": "hidden"}), {"name": "x"}),
        (Pet, MappingProxyType({"name": "x", "chip": "hidden"}), {"type": "Pet", "name": "x"}),
        (
            Things,
            Things(Car("W"), {"a": Pet("Rex")}, Pet("Tom"), (Gem(1),), Model(inner=INNER), Html("<b>x</b>")),
            {
                "pet": {"type": "Car", "numberPlate": "W"}, "pets": {"a": {"type": "Pet", "name": "Rex"}}, "maybe": {"type": "Pet", "name": "Tom"},
                "gems": [{"carat": 1}], "html": "<b>x</b>",
                "model": {"inner": {"name": "i"}, "listed": [], "mapped": {}, "options": None, "theLabel": "x", "doubled": "xx"},
            },
        ),
        (Model, Model(inner=INNER, listed=[INNER], mapped={"a": INNER}, options={"one": 1, "code": "hidden"}), {"inner": {"name": "i"}, "listed": [{"name": "i"}], "mapped": {"a": {"name": "i"}}, "options": {"one": 1}, "theLabel": "x", "doubled": "xx"}),
        (Model, {"inner": {"name": "i"}, "label": "y"}, {"inner": {"name": "i"}, "listed": [], "mapped": {}, "options": None, "theLabel": "y", "doubled": "yy"}),
        (Inner, SimpleNamespace(name="n", code="hidden"), {"name": "n"}),
        (Inner, MappingProxyType({"name": "n"}), {"name": "n"}),
        (Inner | Pet, INNER, {"name": "i"}),
        (Annotated[Model, Only("label", "inner.name")], Model(inner=INNER), {"inner": {"name": "i"}, "theLabel": "x"}),
        (Annotated[Model, Without("inner", "listed.name")], Model(inner=INNER, listed=[INNER]), {"listed": [{}], "mapped": {}, "options": None, "theLabel": "x", "doubled": "xx"}),
        (Annotated[Things, Only("pets.name", "maybe")], Things(Pet("x"), {"a": Pet("Rex")}, Pet("Tom")), {"pets": {"a": {"type": "Pet", "name": "Rex"}}, "maybe": {"type": "Pet", "name": "Tom"}}),
        (Annotated[Page[Pet], Without("items.name"), Without("total")], Page([Pet("Rex")]), {"items": [{"type": "Pet"}]}),
        (Annotated[list[Public], Only("name")], [Public("x")], [{"name": "x"}]),
        (Annotated[Node, Partial()], Node("a", children=[Node("b")]), {"name": "a", "children": [{"name": "b"}]}),
        (list[Annotated[Public, Meta(description="x")]], [Public("x"), More("y")], [{"name": "x"}, {"name": "y"}]),
    ],
    ids=str,
)  # fmt: skip
def test_what_leaves(annotation: Any, value: Any, told: Any) -> None:
    assert sent(annotation, value) == told


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Pet, 5),
        (Pet, {"nom": "Rex"}),
        (Inner, {"nom": "x"}),
        (Inner, 5),
        (Keys, {"two": 2}),
        (list[Pet], Pet("Rex")),
        (dict[str, Pet], [1]),
        (tuple[Pet, int], (Pet("Rex"),)),
        (Inner | Pet, SimpleNamespace()),
        (Inner | Model, {"type": "neither"}),
    ],
    ids=str,
)
def test_what_is_not_what_the_annotation_says_does_not_leave(annotation: Any, value: Any) -> None:
    shape = shape_of(annotation)
    assert shape is not None

    with pytest.raises((msgspec.ValidationError, TypeError)):
        shape(value)


class Left(TypedDict):
    kind: Literal["left"]
    code: Hidden


class Right(TypedDict):
    kind: Literal["right"]
    b: int


def test_dicts_of_a_union_say_which_they_are() -> None:
    assert sent(Left | Right, {"kind": "left", "code": "hidden"}) == {"kind": "left"}
    assert sent(list[Left | Right], [{"kind": "right", "b": 1}]) == [{"kind": "right", "b": 1}]
    with pytest.raises(TypeError, match="names none of the types"):
        sent(Left | Right, {"kind": "middle"})


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Annotated[Public, Only("nom")], "has no 'nom'"),
        (Annotated[Holder, Without("public.nom")], "Public has no 'nom'"),
        (Annotated[Inner, Without("nom")], "Inner has no 'nom'"),
    ],
)
def test_names_that_are_not_there_are_refused(annotation: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        shape_of(annotation)

    assert refused.value.code == "schema.unknown-field"


def test_what_names_no_model_is_not_filtered() -> None:
    for annotation in (int, list[int], dict[str, Any], dict, tuple[int, str], str | int, Mapping):
        assert shape_of(annotation) is None


def test_plain_tuples_with_names_are_lists() -> None:
    pair = namedtuple("pair", ["a", "b"])  # noqa: PYI024 - one without types

    assert sent(Any, {"pair": pair(1, "x")}) == {"pair": [1, "x"]}
