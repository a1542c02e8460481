"""The atlas for programs: JSON in pages, and CSV of everything."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated, Any

from kingpost import Blueprint, Meta, NotFound, Response, Struct
from world import (
    COLLECTIONS,
    COUNTRIES,
    CURRENCIES,
    LANGUAGES,
    SUBDIVISIONS,
    Country,
    Currency,
    Filter,
    Language,
    Page,
    Subdivision,
)

Number = Annotated[int, Meta(ge=1, le=10_000)]
Size = Annotated[int, Meta(ge=1, le=500)]

api = Blueprint("api", prefix="/api")


@api.get("/countries")
def countries(q: str = "", page: Number = 1, size: Size = 50) -> Page[Country]:
    return COUNTRIES.page(Filter(q), page, size)


@api.get("/countries/{code}", errors=[NotFound])
def country(code: str) -> Country:
    return COUNTRIES.get(code)


@api.get("/subdivisions")
def subdivisions(
    q: str = "", country: str = "", kind: str = "", page: Number = 1, size: Size = 50
) -> Page[Subdivision]:
    return SUBDIVISIONS.page(Filter(q, country, kind), page, size)


@api.get("/subdivisions/{code}", errors=[NotFound])
def subdivision(code: str) -> Subdivision:
    return SUBDIVISIONS.get(code)


@api.get("/languages")
def languages(q: str = "", kind: str = "", page: Number = 1, size: Size = 50) -> Page[Language]:
    return LANGUAGES.page(Filter(q, kind=kind), page, size)


@api.get("/languages/{code}", errors=[NotFound])
def language(code: str) -> Language:
    return LANGUAGES.get(code)


@api.get("/currencies")
def currencies(q: str = "", page: Number = 1, size: Size = 50) -> Page[Currency]:
    return CURRENCIES.page(Filter(q), page, size)


@api.get("/currencies/{code}", errors=[NotFound])
def currency(code: str) -> Currency:
    return CURRENCIES.get(code)


@api.get("/{name}.csv", errors=[NotFound])
def export(name: str, q: str = "", country: str = "", kind: str = "") -> Response[Iterator[str]]:
    """Everything that the filter lets through; it is sent while it is read, however much it is."""
    if name not in COLLECTIONS:
        raise NotFound(f"There is no {name}.csv; there are {', '.join(COLLECTIONS)}.")
    collection = COLLECTIONS[name]
    rows = collection.every(Filter(q, country, kind))
    return Response(
        csv_text(collection.row.__struct_fields__, rows),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}.csv"'},
    )


def csv_text(titles: tuple[str, ...], parts: Iterator[list[Any]]) -> Iterator[str]:
    yield ",".join(titles) + "\r\n"
    for rows in parts:
        lines = io.StringIO()
        csv.writer(lines).writerows([getattr(row, title) for title in titles] for row in rows)
        yield lines.getvalue()
