"""What the atlas knows. It is made from the data of pycountry when the atlas starts for the first time."""

import gettext
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pycountry

from kingpost import Meta, NotFound, Settings, Struct

Topic = Literal["countries", "subdivisions", "languages", "currencies"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
Small = Annotated[int, Meta(ge=1, le=500)]
HERE = Path(__file__).parent
KINDS = {"A": "ancient", "C": "constructed", "E": "extinct", "H": "historical", "L": "living"}
FIND = (HERE / "find.sql").read_text(encoding="utf-8")


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


class Page(Struct):
    items: list[Entry]
    page: int
    pages: int
    total: int


def connect() -> sqlite3.Connection:
    return sqlite3.connect(AtlasSettings.load().database)


def select(statement: str, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
    """All rows of a query, each a tuple of its columns."""
    with closing(connect()) as db:
        return db.execute(statement, values).fetchall()


def get(of: str, code: str) -> Entry:
    """The entry of that code, or 404."""
    rows = select("select * from entries where topic = ? and code = ?", [of, code])
    if not rows:
        raise NotFound(f"The {of} of the atlas have no {code}.")
    return Entry(*rows[0][:-1])


def wanted(of: str, q: str = "", country: str = "", kind: str = "") -> dict[str, object]:
    """The values for FIND: all that is of that country and kind, and has words that begin so."""
    words = " ".join(f'"{word}"*' for word in re.findall(r"\w+", q))
    return {"of": of, "words": words, "country": country, "kind": kind, "size": -1, "skip": 0}


def find(values: dict[str, object], page: int = 1, size: int = 50) -> Page:
    """A page of what is wanted, or 404."""
    rows = select(FIND, {**values, "size": size, "skip": (page - 1) * size})
    if not rows and page > 1:
        raise NotFound(f"There is no page {page}.")
    total = rows[0][-1] if rows else 0
    return Page([Entry(*row[:-2]) for row in rows], page, -(-total // size) or 1, total)


def prepare() -> None:
    """Make the database if it is not there; it gets its name when it is complete."""
    path = AtlasSettings.load().database
    if path.exists():
        columns = [name for (name,) in select("select name from pragma_table_info('entries')")]
        if columns != [*Entry.__struct_fields__, "id"]:
            raise SystemExit(f"{path} is older than Entry: delete it, corrections too")
        return
    unfinished = path.with_suffix(".unfinished.db")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as db, db:
        db.executescript((HERE / "schema.sql").read_text(encoding="utf-8"))
        db.executemany("insert into names values (?, ?, ?, ?)", names(pycountry))
        rows = map(attrgetter(*Entry.__struct_fields__), entries(pycountry))
        places = "?, " * len(Entry.__struct_fields__)
        db.executemany(f"insert into entries values ({places}null)", rows)  # noqa: S608
    unfinished.replace(path)


def entries(data: Any) -> Iterator[Entry]:
    for e in data.countries:
        official = getattr(e, "official_name", "")
        codes = {"other_code": e.alpha_3, "number": e.numeric}
        yield Entry("countries", e.alpha_2, e.name, e.flag, official, **codes)
    for e in data.subdivisions:
        above = {"country": e.country_code, "part_of": e.parent_code or ""}
        yield Entry("subdivisions", e.code, e.name, kind=e.type, **above)
    for e in data.languages:
        kind, short = KINDS.get(e.type, "special"), getattr(e, "alpha_2", "")
        yield Entry("languages", e.alpha_3, e.name, kind=kind, other_code=short)
    for e in data.currencies:
        # A currency begins with the code of its country (ISO 4217), unless it has none.
        country = e.alpha_3[:2] if data.countries.get(alpha_2=e.alpha_3[:2]) else ""
        yield Entry("currencies", e.alpha_3, e.name, country=country, number=e.numeric)


def names(data: Any) -> Iterator[tuple[str, ...]]:
    for language in data.languages:
        tag = getattr(language, "alpha_2", language.alpha_3)
        if gettext.find("iso3166-1", data.LOCALES_DIR, [tag]):
            words = gettext.translation("iso3166-1", data.LOCALES_DIR, [tag])
            for c in data.countries:
                if (name := words.gettext(c.name)) != c.name:
                    yield c.alpha_2, language.alpha_3, tag, name
