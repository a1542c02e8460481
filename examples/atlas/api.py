"""The atlas for programs: JSON in pages, and CSV of everything."""

import csv
import io
from collections.abc import Iterator
from typing import Annotated

from world import AnyEntry, Collection, Page, Wanted

from kingpost import Blueprint, Meta, NotFound, Response

Number = Annotated[int, Meta(ge=1, le=10_000)]
Size = Annotated[int, Meta(ge=1, le=500)]

api = Blueprint("api", prefix="/api")


@api.get("/{of:collection}", errors=[NotFound])
def some(
    of: Collection, q: str = "", country: str = "", kind: str = "", page: Number = 1, size: Size = 50
) -> Page:
    return of.page(Wanted(q, country, kind), page, size)


@api.get("/{of:collection}/{code}", errors=[NotFound])
def one(of: Collection, code: str) -> AnyEntry:
    return of.get(code)


@api.get("/{of:collection}.csv")
def export(
    of: Collection, q: str = "", country: str = "", kind: str = ""
) -> Response[Iterator[str]]:
    """Sent while it is read, however much it is."""
    return Response(
        lines(of, Wanted(q, country, kind)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{of.name}.csv"'},
    )


def lines(of: Collection, wanted: Wanted) -> Iterator[str]:
    yield ",".join(of.fields) + "\r\n"
    for rows in of.every(wanted):
        written = io.StringIO()
        csv.writer(written).writerows(rows)
        yield written.getvalue()
