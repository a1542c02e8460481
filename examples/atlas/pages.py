"""The atlas for people."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from database import select
from world import COLLECTIONS, AnyEntry, Collection, Page, Wanted

from kingpost import Blueprint, Html, Meta, Request

FRAME = (Path(__file__).parent / "frame.html").read_text(encoding="utf-8")
# What the page of an entry links to: collection, code, words, and the language of the words.
RELATED = {
    "countries": {
        "Subdivisions": """select 'subdivisions', code, name, '' from subdivisions
            where country = ? order by name""",
        "Currencies": """select 'currencies', code, name, '' from currencies
            where substr(code, 1, 2) = ? order by name""",
        "Names in other languages": """select 'languages', code, names.name,
            coalesce(nullif(two_letters, ''), code) from names join languages on code = language
            where country = ? order by languages.name""",
    },
    "subdivisions": {
        "Parts": "select 'subdivisions', code, name, '' from subdivisions where part_of = ? order by name"
    },
    "languages": {
        "Names of countries": """select 'countries', countries.code, names.name,
            coalesce(nullif(two_letters, ''), languages.code) from names
            join countries on countries.code = country
            join languages on languages.code = language where language = ? order by names.name""",
    },
    "currencies": {
        "Country": """select 'countries', code, flag || ' ' || name, '' from countries
            where code = substr(?, 1, 2)"""
    },
}

pages = Blueprint("pages")


@pages.get("/")
def home() -> Html:
    cards = [
        Html.format('<li><a href="/{}"><b>{:,}</b> {}</a></li>', name, each.page(Wanted()).total, name)
        for name, each in COLLECTIONS.items()
    ]
    countries = select("select 'countries', code, flag || ' ' || name, '' from countries order by name")
    return frame(
        "The world",
        Html.format('<ul class="cards">{}</ul>', Html("").join(cards)),
        links("Every country", countries),
    )


@pages.get("/search")
def search(q: str = "") -> Html:
    content: list[Html] = []
    for name, collection in COLLECTIONS.items():
        found = collection.page(Wanted(q), size=12)
        if q.strip() and found.total:
            rows = [(name, each.code, each.name, "") for each in found.items]
            content.append(links(f"{found.total:,} {name}", rows))
            if found.pages > 1:
                content.append(Html.format('<p><a href="/{}?q={}">All of them</a></p>', name, quote(q)))
    return frame("Search", *(content or [text("Write a name in any language, or a code.")]), q=q)


@pages.get("/{of:collection}")
def some(
    request: Request,
    of: Collection,
    q: str = "",
    country: str = "",
    kind: str = "",
    page: Annotated[int, Meta(ge=1, le=10_000)] = 1,
) -> Html:
    found = of.page(Wanted(q, country, kind), page)
    wanted = {"of": of, "q": q or None, "country": country or None, "kind": kind or None}
    return frame(
        of.name.capitalize(),
        filters(of, {"q": q, "country": country, "kind": kind}),
        table(of.fields, [(entry_link(of, each), *cells(each)) for each in found.items]),
        turning(found, lambda number: request.url_for(".some", page=number, **wanted)),
        Html.format(
            '<p>The same as <a href="{}">JSON</a>, everything as <a href="{}">CSV</a>.</p>',
            request.url_for("api.some", page=page, **wanted),
            request.url_for("api.export", **wanted),
        ),
        here=of.name,
    )


@pages.get("/{of:collection}/{code}")
def one(of: Collection, code: str) -> Html:
    """Everything that is known of an entry, and the ways to those beside it."""
