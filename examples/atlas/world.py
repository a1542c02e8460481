"""What the atlas knows: its settings, its models, and the database behind them."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from re import findall
from typing import Annotated, Any, Literal, get_args

from kingpost import Meta, NotFound, Query, Settings, Struct, from_thread
from kingpost.channels import Channels

HERE = Path(__file__).parent
FIND = (HERE / "find.sql").read_text(encoding="utf-8")

Topic = Literal["countries", "subdivisions", "languages", "currencies"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
Text = Annotated[str, Meta(max_length=200)]


class AtlasSettings(Settings, prefix="ATLAS_"):
    """What differs between machines: the environment or `.env` says ATLAS_DATABASE=/srv/atlas.db."""

    database: Path = Path("atlas.db")


class Entry(Struct, omit_defaults=True):
    """A line of the atlas; in JSON, what is empty is left out."""

    topic: str
    code: str
    name: str
    flag: str = ""
    official_name: str = ""
    kind: str = ""
    country: str = ""
    part_of: str = ""
    other_code: str = ""
    number: str = ""


class Wanted(Struct):
    """Which entries a list shows; nothing said, all of them."""

    q: Text = ""
    country: Text = ""
    kind: Text = ""
    page: Annotated[int, Meta(ge=1, le=10_000)] = 1
    size: Annotated[int, Meta(ge=1, le=500)] = 50

    def chosen(self) -> dict[str, str]:
        """What a link to the same list says."""
        return {k: v for k in ("q", "country", "kind") if (v := getattr(self, k))}


Filter = Annotated[Wanted, Query(flat=True)]


class Page(Struct):
    items: list[Entry]
    page: int
    pages: int
    total: int


class Change(Struct):
    """What may be corrected of an entry; what is not said stays as it is."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    official_name: Text | None = None
    kind: Text | None = None
    number: Text | None = None


class World:
    """The atlas, as one request sees it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def select(self, sql: str, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
        """All rows of a query, each a tuple of its columns."""
        return self.db.execute(sql, values).fetchall()

    def get(self, of: str, code: str) -> Entry:
        """The entry of that code, or 404."""
        rows = self.select("select * from entries where topic = ? and code = ?", [of, code])
        if not rows:
            raise NotFound(f"The {of} of the atlas have no {code}.")
        return Entry(*rows[0][:-1])

    def find(self, of: str, wanted: Wanted) -> Page:
        """A page of what is wanted, or 404."""
        rows = self.rows(of, wanted, wanted.size, (wanted.page - 1) * wanted.size).fetchall()
        if not rows and wanted.page > 1:
            raise NotFound(f"There is no page {wanted.page}.")
        total = rows[0][-1] if rows else 0
        pages = -(-total // wanted.size) or 1
        return Page([Entry(*row[:-2]) for row in rows], wanted.page, pages, total)

    def rows(self, of: str, wanted: Wanted, size: int = -1, skip: int = 0) -> sqlite3.Cursor:
        """What is of that country and kind, and has words that begin so; -1 for all of it."""
        words = " ".join(f'"{word}"*' for word in findall(r"\w+", wanted.q))
        values = {"of": of, "words": words, "country": wanted.country, "kind": wanted.kind}
        return self.db.execute(FIND, {**values, "size": size, "skip": skip})

    def correct(self, entry: Entry, change: Change) -> Entry:
        """Correct an entry, and write down what it was before."""
        for field in Change.__struct_fields__:
            before, value = getattr(entry, field), getattr(change, field)
            if value is not None and value != before:
                row = [entry.topic, entry.code, field, before, value]
                self.db.execute("insert into corrections values (datetime(), ?, ?, ?, ?, ?)", row)
                # The field is one of Change's.
                sql = f"update entries set {field} = ? where topic = ? and code = ?"  # noqa: S608 - as said above
                self.db.execute(sql, [value, entry.topic, entry.code])
        return self.get(entry.topic, entry.code)


def world(settings: AtlasSettings, channels: Channels) -> Iterator[World]:
    """For one request: what it has changed is kept if all went well, and nothing of it otherwise."""
    # What is streamed is read on one thread after another.
    with closing(sqlite3.connect(settings.database, check_same_thread=False)) as db:
        with db:
            yield World(db)
        if db.total_changes:
            from_thread(channels.publish, "corrections", "more")
