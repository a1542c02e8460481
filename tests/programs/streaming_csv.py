"""A table of any length as CSV, in constant memory; and the same rows as JSON lines."""

import csv
import io
from collections.abc import AsyncIterator, Iterator

from kingpost import App, Response, Struct

app = App()


class Row(Struct):
    number: int
    square: int


def rows(count: int) -> Iterator[Row]:
    for number in range(count):
        yield Row(number, number * number)


def csv_lines(count: int) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(["number", "square"])
    for row in rows(count):
        writer.writerow([row.number, row.square])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


@app.get("/squares.csv")
def squares(count: int = 10) -> Response[Iterator[str]]:
    return Response(
        csv_lines(count),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="squares.csv"'},
    )


@app.get("/squares.jsonl")
def squares_as_json(count: int = 10) -> Iterator[Row]:
    yield from rows(count)


@app.get("/countdown")
async def countdown(start: int = 3) -> AsyncIterator[str]:
    for number in range(start, 0, -1):
        yield f"{number}\n"
