"""The database: made from the data of pycountry when the atlas starts for the first time."""

import gettext
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pycountry

from kingpost import Settings

# The columns of a table stand in the order of the fields of its class in world.py.
SCHEMA = """
create table countries (code text primary key collate nocase, name, flag, official_name,
    three_letters, number);
create table subdivisions (code text primary key collate nocase, name, kind,
    country collate nocase, part_of);
create table languages (code text primary key collate nocase, name, kind, two_letters);
create table currencies (code text primary key collate nocase, name, number);
create table names (country, language, name, primary key (country, language)) without rowid;
create table corrections (made_at, collection, code, field, was, now);
create index subdivisions_of_country on subdivisions (country);
create virtual table search using fts5 (collection unindexed, code unindexed, words);
"""
INDEX = """
insert into search select 'countries', code, code || ' ' || three_letters || ' ' || name || ' '
    || official_name || ' ' || (select coalesce(group_concat(names.name, ' '), '') from names
    where country = code) from countries;
insert into search select 'subdivisions', code, code || ' ' || name from subdivisions;
insert into search select 'languages', code, code || ' ' || two_letters || ' ' || name
    from languages;
insert into search select 'currencies', code, code || ' ' || name from currencies;
"""
KINDS = {"A": "ancient", "C": "constructed", "E": "extinct", "H": "historical", "L": "living"}


class AtlasSettings(Settings, prefix="ATLAS_"):
    """What differs between machines, from the environment or `.env`: ATLAS_DATABASE=/srv/atlas.db."""

    database: Path = Path("atlas.db")


def connect() -> sqlite3.Connection:
    """A connection; an export may be continued by another thread than the one that began it."""
    return sqlite3.connect(AtlasSettings.load().database, check_same_thread=False)


def select(statement: str, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
    """All rows of a query, each a tuple of its columns."""
    with closing(connect()) as db:
        return db.execute(statement, values).fetchall()


def prepare() -> None:
    """Make the database if it is not there; it gets its name when it is complete."""
    path = AtlasSettings.load().database
    if path.exists():
        return
    unfinished = path.with_suffix(".new.db")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as db, db:
        db.executescript(SCHEMA)
        fill(db)
        db.executescript(INDEX)
    unfinished.replace(path)


def fill(db: sqlite3.Connection) -> None:
    """Copy what pycountry knows, and its translations of the names of countries."""
    countries: list[Any] = list(pycountry.countries)
    for c in countries:
        row = (c.alpha_2, c.name, c.flag, getattr(c, "official_name", ""), c.alpha_3, c.numeric)
        db.execute("insert into countries values (?, ?, ?, ?, ?, ?)", row)
    subdivisions: list[Any] = list(pycountry.subdivisions)
    for s in subdivisions:
        row = (s.code, s.name, s.type, s.country_code, s.parent_code or "")
        db.execute("insert into subdivisions values (?, ?, ?, ?, ?)", row)
    currencies: list[Any] = list(pycountry.currencies)
    for each in currencies:
        row = (each.alpha_3, each.name, each.numeric)
        db.execute("insert into currencies values (?, ?, ?)", row)
    languages: list[Any] = list(pycountry.languages)
    for each in languages:
        short = getattr(each, "alpha_2", "")
        row = (each.alpha_3, each.name, KINDS.get(each.type, "special"), short)
        db.execute("insert into languages values (?, ?, ?, ?)", row)
        if gettext.find("iso3166-1", pycountry.LOCALES_DIR, [short or each.alpha_3]):
            names = gettext.translation(
                "iso3166-1", pycountry.LOCALES_DIR, [short or each.alpha_3]
            )
            for c in countries:
                if (name := names.gettext(c.name)) != c.name:
                    row = (c.alpha_2, each.alpha_3, name)
                    db.execute("insert into names values (?, ?, ?)", row)
