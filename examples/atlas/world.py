"""What the atlas knows, and how it is found."""

import re
from collections.abc import Iterator
from contextlib import closing

from database import connect, select

from kingpost import NotFound, Struct


class Entry(Struct):
    """What everything in the atlas has; the classes below name the other columns of their tables."""

    code: str
    name: str


class Country(Entry):
    """ISO 3166-1."""

    flag: str
    official_name: str
    three_letters: str
    number: str


class Subdivision(Entry):
    """ISO 3166-2: states, provinces, cantons and the like."""

    kind: str
    country: str
    part_of: str


class Language(Entry):
    """ISO 639-3."""

    kind: str
    two_letters: str


class Currency(Entry):
    """ISO 4217."""

    number: str


AnyEntry = Country | Subdivision | Language | Currency


class Page(Struct):
    """A part of a longer list."""

    items: list[AnyEntry]
    page: int
    pages: int
    total: int


class Wanted(Struct):
    """What a list is narrowed down to; empty text lets everything through."""

    q: str = ""
    country: str = ""
    kind: str = ""

    def bound(self, size: int, skip: int) -> dict[str, object]:
        """The values for a statement; the words of a search are beginnings of words."""
        words = " ".join(f'"{word}"*' for word in re.findall(r"\w+", self.q))
        place = {"country": self.country, "kind": self.kind}
        return {"q": words, **place, "size": size, "skip": skip}


class Collection:
    """One table of the atlas.

    Args:
        name: of the table, and in addresses.
        row: the class of its rows.
        filters: fields that a list can be narrowed down by.
    """

    def __init__(self, name: str, row: type[AnyEntry], *filters: str) -> None:
        self.name = name
        self.row = row
        self.fields = row.__struct_fields__
        self.filters = filters
        # Every name in it is one of ours; values of a request are bound by SQLite.
        chosen = " ".join(f"and :{field} in ('', {field})" for field in filters)
        self.one = f"select * from {name} where code = ?"  # noqa: S608
        self.many = f"""select *, count(*) over () from {name} where (:q = '' or code in
            (select code from search where words match :q and collection = '{name}'))
            {chosen} order by name, code limit :size offset :skip"""  # noqa: S608

    def get(self, code: str) -> AnyEntry:
        """The entry of that code.

        Raises:
            NotFound: there is none.
        """
        found = select(self.one, [code])
        if not found:
            raise NotFound(f"The {self.name} of the atlas have no {code}.")
        return self.row(*found[0])

    def page(self, wanted: Wanted, number: int = 1, size: int = 50) -> Page:
        """The entries that `wanted` lets through, a page of them."""
        found = select(self.many, wanted.bound(size, (number - 1) * size))
        if not found and number > 1:
            raise NotFound(f"There is no page {number}.")
        total = found[0][-1] if found else 0
        return Page([self.row(*row[:-1]) for row in found], number, -(-total // size) or 1, total)

    def every(self, wanted: Wanted) -> Iterator[list[tuple[str, ...]]]:
        """The rows of all of them, 500 at a time: however large the table, little of it is in memory."""
        with closing(connect()) as db:
            rows = db.execute(self.many, wanted.bound(-1, 0))
            while some := rows.fetchmany(500):
                yield [row[:-1] for row in some]


COLLECTIONS = {
    "countries": Collection("countries", Country),
    "subdivisions": Collection("subdivisions", Subdivision, "country", "kind"),
    "languages": Collection("languages", Language, "kind"),
    "currencies": Collection("currencies", Currency),
}


class CollectionConverter:
    """Lets a path say `{of:collection}`: the name of a collection, and nothing else."""

    def convert(self, text: str, /) -> Collection:
        if text not in COLLECTIONS:
            raise ValueError(text)
        return COLLECTIONS[text]

    def format(self, value: Collection, /) -> str:
        return value.name
