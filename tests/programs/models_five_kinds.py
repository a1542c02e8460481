"""One booking, five times: a Struct, a dataclass, a TypedDict, an attrs class and a pydantic model, mixed in one app.

All say the same: a name of 2 to 20 characters, 1 to 8 seats, a guest or a member who pays, and an end that does not lie before the
start. The same input gets the same answer from each.
"""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Annotated, Literal, NotRequired, TypedDict

import attrs
import pydantic

from kingpost import App, Meta, Struct
from kingpost.schema import Invalid, check

app = App()

Name = Annotated[str, Meta(min_length=2, max_length=20)]
Seats = Annotated[int, Meta(ge=1, le=8)]


def in_order(start: date, end: date | None) -> None:
    if end is not None and end < start:
        raise Invalid("must not be before start", "end", code="before-start")


class GuestStruct(Struct):
    kind: Literal["guest"]
    email: str


class MemberStruct(Struct):
    kind: Literal["member"]
    number: int


class BookingStruct(Struct):
    name: Name
    seats: Seats
    payer: GuestStruct | MemberStruct
    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        in_order(self.start, self.end)


@app.post("/struct")
def book_struct(booking: BookingStruct) -> BookingStruct:
    return booking


@dataclasses.dataclass
class GuestDataclass:
    kind: Literal["guest"]
    email: str


@dataclasses.dataclass
class MemberDataclass:
    kind: Literal["member"]
    number: int


@dataclasses.dataclass
class BookingDataclass:
    name: Name
    seats: Seats
    payer: GuestDataclass | MemberDataclass
    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        in_order(self.start, self.end)


@app.post("/dataclass")
def book_dataclass(booking: BookingDataclass) -> BookingDataclass:
    return booking


class GuestDict(TypedDict):
    kind: Literal["guest"]
    email: str


class MemberDict(TypedDict):
    kind: Literal["member"]
    number: int


class BookingDict(TypedDict):
    name: Name
    seats: Seats
    payer: GuestDict | MemberDict
    start: date
    end: NotRequired[date | None]


@check(BookingDict)
def booking_in_order(booking: BookingDict) -> None:
    in_order(booking["start"], booking.get("end"))


@app.post("/typed-dict")
def book_dict(booking: BookingDict) -> BookingDict:
    return booking


@attrs.define
class GuestAttrs:
    kind: Literal["guest"]
    email: str


@attrs.define
class MemberAttrs:
    kind: Literal["member"]
    number: int


@attrs.define
class BookingAttrs:
    name: Name
    seats: Seats
    payer: GuestAttrs | MemberAttrs
    start: date
    end: date | None = None

    def __attrs_post_init__(self) -> None:
        in_order(self.start, self.end)


@app.post("/attrs")
def book_attrs(booking: BookingAttrs) -> BookingAttrs:
    return booking


class GuestPydantic(pydantic.BaseModel):
    kind: Literal["guest"]
    email: str


class MemberPydantic(pydantic.BaseModel):
    kind: Literal["member"]
    number: int


class BookingPydantic(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2, max_length=20)
    seats: int = pydantic.Field(ge=1, le=8)
    payer: GuestPydantic | MemberPydantic
    start: date
    end: date | None = None

    @pydantic.model_validator(mode="after")
    def check_order(self) -> BookingPydantic:
        in_order(self.start, self.end)
        return self


@app.post("/pydantic")
def book_pydantic(booking: BookingPydantic) -> BookingPydantic:
    return booking


class Mixed(Struct):
    """Each in one another."""

    first: BookingPydantic
    others: list[BookingDataclass | None]
    guest: GuestAttrs
    member: MemberDict


@app.post("/mixed")
def book_all(bookings: Mixed) -> Mixed:
    return bookings
