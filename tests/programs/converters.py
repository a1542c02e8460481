"""Path converters, ours and one's own; and the same values from the query."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Literal

from kingpost import App

ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}


class Roman:
    """A number from one to five, as the Romans wrote it."""

    def convert(self, text: str) -> int:
        if text not in ROMAN:
            raise ValueError(text)
        return ROMAN[text]

    def format(self, value: int) -> str:
        return next(text for text, number in ROMAN.items() if number == value)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


app = App(converters={"roman": Roman})


@app.get("/int/{value:int}")
def an_int(value: int) -> int:
    return value + 1


@app.get("/float/{value:float}")
def a_float(value: float) -> float:
    return value * 2


@app.get("/slug/{value:slug}")
def a_slug(value: str) -> str:
    return value


@app.get("/uuid/{value:uuid}")
def a_uuid(value: uuid.UUID) -> int:
    return value.version or 0


@app.get("/date/{value:date}")
def a_date(value: dt.date) -> int:
    return value.toordinal()


@app.get("/month/{value:date(%Y-%m)}")
def a_month(value: dt.date) -> str:
    return value.strftime("%B")


@app.get("/chapter/{value:roman}")
def a_chapter(value: int) -> int:
    return value


@app.get("/files/{rest:path}")
def files(rest: str) -> str:
    return rest


@app.get("/{name}.json")
def by_suffix(name: str) -> str:
    return name


@app.get("/colours/{colour}")
def a_colour(colour: Colour) -> str:
    return colour.name


@app.get("/search")
def search(
    q: str = "",
    *,
    page: int = 1,
    exact: bool = False,
    colour: Colour | None = None,
    order: Literal["name", "-name"] = "name",
    price: Decimal | None = None,
    since: dt.datetime | None = None,
    at: dt.time | None = None,
    owner: uuid.UUID | None = None,
    tags: set[str] | None = None,
    ratio: float = 1.0,
) -> dict[str, object]:
    return {
        "q": q,
        "page": page,
        "exact": exact,
        "colour": colour,
        "order": order,
        "price": price,
        "since": since,
        "at": at,
        "owner": owner,
        "tags": sorted(tags or ()),
        "ratio": ratio,
    }
