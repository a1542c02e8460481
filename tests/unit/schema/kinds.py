"""One model, five times: the same fields, rules and checks as Struct, dataclass, TypedDict, attrs class and pydantic model."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import attrs
import msgspec
import pydantic
from msgspec import Meta

from kingpost.schema import Invalid, check, closed


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Grade(enum.Enum):
    """Numbers, of a class that is none."""

    GOOD = 1
    BAD = 2


Title = Annotated[str, Meta(min_length=2, max_length=10, pattern="^[A-Z]")]
Count = Annotated[int, Meta(ge=1, le=100)]
Step = Annotated[int, Meta(multiple_of=5)]
Ratio = Annotated[float, Meta(gt=0, lt=1)]
Label = Annotated[str, Meta(max_length=3)]
Labels = Annotated[list[Label], Meta(max_length=2)]

PTitle = Annotated[str, pydantic.Field(min_length=2, max_length=10, pattern="^[A-Z]")]
PCount = Annotated[int, pydantic.Field(ge=1, le=100)]
PStep = Annotated[int, pydantic.Field(multiple_of=5)]
PRatio = Annotated[float, pydantic.Field(gt=0, lt=1)]
PLabel = Annotated[str, pydantic.Field(max_length=3)]
PLabels = Annotated[list[PLabel], pydantic.Field(max_length=2)]

UNIX = dt.date(1970, 1, 1)


def in_order(start: dt.date, end: dt.date | None) -> None:
    """The rule across fields that all of them have."""
    if end is not None and end < start:
        raise Invalid("must not be before start", "end", code="before-start")
    if start == UNIX:
        raise ValueError("starts at the beginning of time")


# -- Struct


class SLine(msgspec.Struct):
    sku: str
    count: Count


class SCard(msgspec.Struct):
    kind: Literal["card"]
    number: Label


class SCash(msgspec.Struct):
    kind: Literal["cash"]
    given: int


class SSpan(msgspec.Struct):
    start: dt.date
    end: dt.date | None = None

    def __post_init__(self) -> None:
        in_order(self.start, self.end)


class SOrder(msgspec.Struct):
    title: Title
    count: Count
    step: Step
    ratio: Ratio
    paid: bool
    price: decimal.Decimal
    key: uuid.UUID
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta
    colour: Colour
    level: Level
    size: Literal["s", "m"]
    labels: Labels
    lines: list[SLine]
    span: SSpan
    extra: dict[str, int]
    pair: tuple[int, str]
    several: int | str | None
    note: str | None = None
    tags: list[str] = msgspec.field(default_factory=list)


class SPayment(msgspec.Struct):
    pays: SCard | SCash
    also: list[SCard | SCash | None] = msgspec.field(default_factory=list)
    spans: dict[str, SSpan] = msgspec.field(default_factory=dict)


class SClosed(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class SNode(msgspec.Struct):
    name: str
    children: list[SNode] = msgspec.field(default_factory=list)


class SValues(msgspec.Struct):
    level: Level
    grade: Grade
    size: Literal[1, "two"]
    several: set[Level]
    named: dict[str, Grade]
    blob: bytes
    blobs: list[bytes]
    price: decimal.Decimal
    prices: list[decimal.Decimal]
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta


# -- dataclass


@dataclasses.dataclass
class DLine:
    sku: str
    count: Count


@dataclasses.dataclass
class DCard:
    kind: Literal["card"]
    number: Label


@dataclasses.dataclass
class DCash:
    kind: Literal["cash"]
    given: int


@dataclasses.dataclass
class DSpan:
    start: dt.date
    end: dt.date | None = None

    def __post_init__(self) -> None:
        in_order(self.start, self.end)


@dataclasses.dataclass
class DOrder:
    title: Title
    count: Count
    step: Step
    ratio: Ratio
    paid: bool
    price: decimal.Decimal
    key: uuid.UUID
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta
    colour: Colour
    level: Level
    size: Literal["s", "m"]
    labels: Labels
    lines: list[DLine]
    span: DSpan
    extra: dict[str, int]
    pair: tuple[int, str]
    several: int | str | None
    note: str | None = None
    tags: list[str] = dataclasses.field(default_factory=list[str])


@dataclasses.dataclass
class DPayment:
    pays: DCard | DCash
    also: list[DCard | DCash | None] = dataclasses.field(
        default_factory=list["DCard | DCash | None"]
    )
    spans: dict[str, DSpan] = dataclasses.field(default_factory=dict[str, DSpan])


@closed
@dataclasses.dataclass
class DClosed:
    name: str


@dataclasses.dataclass
class DNode:
    name: str
    children: list[DNode] = dataclasses.field(default_factory=list["DNode"])


@dataclasses.dataclass
class DValues:
    level: Level
    grade: Grade
    size: Literal[1, "two"]
    several: set[Level]
    named: dict[str, Grade]
    blob: bytes
    blobs: list[bytes]
    price: decimal.Decimal
    prices: list[decimal.Decimal]
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta


# -- TypedDict


class TLine(TypedDict):
    sku: str
    count: Count


class TCard(TypedDict):
    kind: Literal["card"]
    number: Label


class TCash(TypedDict):
    kind: Literal["cash"]
    given: int


class TSpan(TypedDict):
    start: dt.date
    end: NotRequired[dt.date | None]


@check(TSpan)
def span_in_order(span: TSpan) -> None:
    in_order(span["start"], span.get("end"))


class TOrder(TypedDict):
    title: Title
    count: Count
    step: Step
    ratio: Ratio
    paid: bool
    price: decimal.Decimal
    key: uuid.UUID
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta
    colour: Colour
    level: Level
    size: Literal["s", "m"]
    labels: Labels
    lines: list[TLine]
    span: TSpan
    extra: dict[str, int]
    pair: tuple[int, str]
    several: int | str | None
    note: NotRequired[str | None]
    tags: NotRequired[list[str]]


class TPayment(TypedDict):
    pays: TCard | TCash
    also: NotRequired[list[TCard | TCash | None]]
    spans: NotRequired[dict[str, TSpan]]


@closed
class TClosed(TypedDict):
    name: str


class TNode(TypedDict):
    name: str
    children: NotRequired[list[TNode]]


class TValues(TypedDict):
    level: Level
    grade: Grade
    size: Literal[1, "two"]
    several: set[Level]
    named: dict[str, Grade]
    blob: bytes
    blobs: list[bytes]
    price: decimal.Decimal
    prices: list[decimal.Decimal]
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta


# -- attrs


@attrs.define
class ALine:
    sku: str
    count: Count


@attrs.define
class ACard:
    kind: Literal["card"]
    number: Label


@attrs.define
class ACash:
    kind: Literal["cash"]
    given: int


@attrs.define
class ASpan:
    start: dt.date
    end: dt.date | None = None

    def __attrs_post_init__(self) -> None:
        in_order(self.start, self.end)


@attrs.define
class AOrder:
    title: Title
    count: Count
    step: Step
    ratio: Ratio
    paid: bool
    price: decimal.Decimal
    key: uuid.UUID
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta
    colour: Colour
    level: Level
    size: Literal["s", "m"]
    labels: Labels
    lines: list[ALine]
    span: ASpan
    extra: dict[str, int]
    pair: tuple[int, str]
    several: int | str | None
    note: str | None = None
    tags: list[str] = attrs.field(factory=list)


@attrs.define
class APayment:
    pays: ACard | ACash
    also: list[ACard | ACash | None] = attrs.field(factory=list)
    spans: dict[str, ASpan] = attrs.field(factory=dict)


@closed
@attrs.define
class AClosed:
    name: str


@attrs.define
class ANode:
    name: str
    children: list[ANode] = attrs.field(factory=list)


@attrs.define
class AValues:
    level: Level
    grade: Grade
    size: Literal[1, "two"]
    several: set[Level]
    named: dict[str, Grade]
    blob: bytes
    blobs: list[bytes]
    price: decimal.Decimal
    prices: list[decimal.Decimal]
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta


# -- pydantic


class PLine(pydantic.BaseModel):
    sku: str
    count: PCount


class PCard(pydantic.BaseModel):
    kind: Literal["card"]
    number: PLabel


class PCash(pydantic.BaseModel):
    kind: Literal["cash"]
    given: int


class PSpan(pydantic.BaseModel):
    start: dt.date
    end: dt.date | None = None

    @pydantic.model_validator(mode="after")
    def check_order(self) -> PSpan:
        in_order(self.start, self.end)
        return self


class POrder(pydantic.BaseModel):
    title: PTitle
    count: PCount
    step: PStep
    ratio: PRatio
    paid: bool
    price: decimal.Decimal
    key: uuid.UUID
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta
    colour: Colour
    level: Level
    size: Literal["s", "m"]
    labels: PLabels
    lines: list[PLine]
    span: PSpan
    extra: dict[str, int]
    pair: tuple[int, str]
    several: int | str | None
    note: str | None = None
    tags: list[str] = []


class PPayment(pydantic.BaseModel):
    pays: PCard | PCash
    also: list[PCard | PCash | None] = []
    spans: dict[str, PSpan] = {}


class PClosed(pydantic.BaseModel, extra="forbid"):
    name: str


class PNode(pydantic.BaseModel):
    name: str
    children: list[PNode] = []


class PValues(pydantic.BaseModel):
    level: Level
    grade: Grade
    size: Literal[1, "two"]
    several: set[Level]
    named: dict[str, Grade]
    blob: bytes
    blobs: list[bytes]
    price: decimal.Decimal
    prices: list[decimal.Decimal]
    at: dt.datetime
    noon: dt.time
    lasts: dt.timedelta


class Kind(NamedTuple):
    """The models of one kind."""

    order: Any
    payment: Any
    closed: Any
    node: Any
    span: Any
    values: Any


KINDS = {
    "struct": Kind(SOrder, SPayment, SClosed, SNode, SSpan, SValues),
    "dataclass": Kind(DOrder, DPayment, DClosed, DNode, DSpan, DValues),
    "typeddict": Kind(TOrder, TPayment, TClosed, TNode, TSpan, TValues),
    "attrs": Kind(AOrder, APayment, AClosed, ANode, ASpan, AValues),
    "pydantic": Kind(POrder, PPayment, PClosed, PNode, PSpan, PValues),
}

GOOD: dict[str, Any] = {
    "title": "Anvil",
    "count": 3,
    "step": 10,
    "ratio": 0.5,
    "paid": True,
    "price": "12.50",
    "key": "123e4567-e89b-12d3-a456-426614174000",
    "at": "2026-03-31T12:00:00Z",
    "noon": "12:00:00",
    "lasts": "PT2H",
    "colour": "red",
    "level": 1,
    "size": "s",
    "labels": ["a", "b"],
    "lines": [{"sku": "x", "count": 1}, {"sku": "y", "count": 2}],
    "span": {"start": "2026-01-01", "end": "2026-02-01"},
    "extra": {"a": 1},
    "pair": [1, "x"],
    "several": "text",
    "note": None,
    "tags": ["t"],
}

VALUES: dict[str, Any] = {
    "level": 1,
    "grade": 2,
    "size": 1,
    "several": [1],
    "named": {"a": 1},
    "blob": "//4=",
    "blobs": ["YQ==", ""],
    "price": "12.50",
    "prices": [],
    "at": "2026-03-31T12:00:00Z",
    "noon": "12:00:00",
    "lasts": "PT2H",
}
"""What a library could read, or write, in a way of its own."""
