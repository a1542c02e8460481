"""The atlas for programs: JSON in pages, and CSV of everything."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing

from world import FIND, Entry, Page, Small, Topic, connect, find, get, wanted

from kingpost import Blueprint, NotFound, Response

api = Blueprint("api", prefix="/api")


@api.get("/{of}", errors=[NotFound])
def some(
    of: Topic, q: str = "", country: str = "", kind: str = "", *, page: Small = 1, size: Small = 50
) -> Page:
    return find(wanted(of, q, country, kind), page, size)


@api.get("/{of}/{code}", errors=[NotFound])
def one(of: Topic, code: str) -> Entry:
    return get(of, code)


@api.get("/{of}.csv")
def file(of: Topic, q: str = "", country: str = "", kind: str = "") -> Response[Iterator[str]]:
    """Everything that is wanted; it is sent while it is read, so that little of it is in memory."""
    return Response(
        lines(wanted(of, q, country, kind)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{of}.csv"'},
    )


def lines(values: dict[str, object]) -> Iterator[str]:
    yield ",".join(Entry.__struct_fields__) + "\r\n"
    with closing(connect()) as db:
        rows = db.execute(FIND, values)
        while some := rows.fetchmany(500):
            written = io.StringIO()
            csv.writer(written).writerows(row[:-2] for row in some)
            yield written.getvalue()
