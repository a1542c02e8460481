"""Makes the database from the data of pycountry, when the atlas starts for the first time."""

import gettext
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from operator import attrgetter
from typing import Any

import pycountry
from world import HERE, AtlasSettings, Entry

KINDS = {"A": "ancient", "C": "constructed", "E": "extinct", "H": "historical", "L": "living"}


def make(settings: AtlasSettings) -> Iterator[None]:
    """Make the database if it is not there; it gets its name when it is complete."""
    path = settings.database
    if path.exists():
        with closing(sqlite3.connect(path)) as db:
            columns = [name for _, name, *_ in db.execute("pragma table_info(entries)")]
        if columns != [*Entry.__struct_fields__, "id"]:
            raise SystemExit(f"{path} is older than Entry: delete it, corrections too")
    else:
        unfinished = path.with_suffix(".unfinished.db")
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished)) as db, db:
            db.executescript((HERE / "schema.sql").read_text(encoding="utf-8"))
            db.executemany("insert into names values (?, ?, ?, ?)", names(pycountry))
            rows = map(attrgetter(*Entry.__struct_fields__), entries(pycountry))
            places = "?, " * len(Entry.__struct_fields__)
            db.executemany(f"insert into entries values ({places}null)", rows)  # noqa: S608 - only question marks are put in
        unfinished.replace(path)
    yield


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
