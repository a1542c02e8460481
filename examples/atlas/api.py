"""The atlas for programs: JSON in pages, CSV of everything, and corrections."""

import csv
import io
from collections.abc import Iterator
from shutil import rmtree
from tempfile import mkdtemp

from world import Change, Entry, Filter, Page, Topic, Wanted, World

from kingpost import BackgroundTasks, Blueprint, FileResponse, NotFound, Response

api = Blueprint("api", prefix="/api")


@api.get("/{of}", errors=[NotFound])
def some(of: Topic, world: World, wanted: Filter) -> Page:
    """The entries of a topic, page by page."""
    return world.find(of, wanted)


@api.get("/{of}/{code}", errors=[NotFound])
def one(of: Topic, code: str, world: World) -> Entry:
    """The entry of a code."""
    return world.get(of, code)


@api.patch("/{of}/{code}", errors=[NotFound])
def correct(of: Topic, code: str, change: Change, world: World) -> Entry:
    """Correct an entry."""
    return world.correct(world.get(of, code), change)


@api.get("/{of}.csv")
def file(of: Topic, world: World, wanted: Filter) -> Response[Iterator[str]]:
    """Everything that is wanted; it is sent while it is read, so that little of it is in memory."""
    return Response(
        lines(world, of, wanted),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{of}.csv"'},
    )


def lines(world: World, of: Topic, wanted: Wanted) -> Iterator[str]:
    yield ",".join(Entry.__struct_fields__) + "\r\n"
    rows = world.rows(of, wanted)
    while some := rows.fetchmany(500):
        written = io.StringIO()
        csv.writer(written).writerows(row[:-2] for row in some)
        yield written.getvalue()


@api.get("/atlas.db")
def database(world: World, tasks: BackgroundTasks) -> FileResponse:
    """All of it as an SQLite database: a copy, since the one in use may change meanwhile."""
    folder = mkdtemp()
    world.db.execute("vacuum into ?", [f"{folder}/atlas.db"])
    tasks.add_task(rmtree, folder)
    return FileResponse(f"{folder}/atlas.db", download="atlas.db")
