"""The atlas for people."""

from typing import Annotated, Any

from database import select
from kingpost import Blueprint, Html, Meta, Request
from layout import (
    choice,
    facts,
    filters,
    frame,
    heading,
    link,
    listed,
    spoken,
    table,
    text,
    turning,
)
from world import COLLECTIONS, COUNTRIES, CURRENCIES, LANGUAGES, SUBDIVISIONS, Filter, Page

Number = Annotated[int, Meta(ge=1, le=10_000)]

NAMES_OF_COUNTRY = """
select languages.code, coalesce(nullif(code2, ''), languages.code), languages.name, names.name
from names join languages on languages.code = names.language where country = ? order by 3
"""
NAMES_IN_LANGUAGE = """
select code, flag, countries.name, names.name
from names join countries on code = country where language = ? order by 3
"""
MONEY = "select code, name from currencies where substr(code, 1, 2) = ? order by name"

pages = Blueprint("pages")


@pages.get("/")
def home() -> Html:
    cards = [
        Html.format('<li><a href="/{}"><b>{:,}</b> {}</a></li>', name, each.page().total, name)
        for name, each in COLLECTIONS.items()
    ]
    countries = COUNTRIES.page(size=500).items
    return frame(
        "The world",
        Html.format('<ul class="cards">{}</ul>', Html("").join(cards)),
        heading("Every country"),
        listed(link(f"/countries/{each.code}", f"{each.flag} {each.name}") for each in countries),
    )


@pages.get("/search")
def search(q: str = "") -> Html:
    content: list[Html] = []
    for name, collection in COLLECTIONS.items():
        found = collection.page(Filter(q), size=12)
        if q.strip() and found.total:
            content.append(heading(f"{found.total:,} {name}"))
            content.append(
                listed(link(f"/{name}/{e.code}", f"{e.name} · {e.code}") for e in found.items)
            )
            content.append(
                link(f"/{name}?q={q}", f"All {name} found") if found.pages > 1 else Html()
            )
    nothing = (
        f"Nothing begins with “{q}”." if q.strip() else "Write a name in any language, or a code."
    )
    return frame("Search", *(content or [text(nothing)]), q=q)


@pages.get("/countries")
def countries(request: Request, q: str = "", page: Number = 1) -> Html:
    found = COUNTRIES.page(Filter(q), page)
    rows = [
        (link(f"/countries/{c.code}", f"{c.flag} {c.name}"), c.code, c.code3, c.number)
        for c in found.items
    ]
    return listing(request, found, table(("Country", "Code", "Three letters", "Number"), rows), q=q)


@pages.get("/subdivisions")
def subdivisions(
    request: Request, q: str = "", country: str = "", kind: str = "", page: Number = 1
) -> Html:
    found = SUBDIVISIONS.page(Filter(q, country, kind), page)
    rows = [
        (
            link(f"/subdivisions/{each.code}", each.name),
            each.code,
            each.kind,
            link(f"/countries/{each.country}", each.country),
        )
        for each in found.items
    ]
    kinds = select("select distinct kind, kind from subdivisions order by kind")
    places = select("select code, name from countries order by name")
    return listing(
        request,
        found,
        table(("Subdivision", "Code", "Kind", "Country"), rows),
        choice("country", "Country", country, places),
        choice("kind", "Kind", kind, kinds),
        q=q,
        country=country,
        kind=kind,
    )


@pages.get("/languages")
def languages(request: Request, q: str = "", kind: str = "", page: Number = 1) -> Html:
    found = LANGUAGES.page(Filter(q, kind=kind), page)
    rows = [
        (link(f"/languages/{each.code}", each.name), each.code, each.code2, each.kind)
        for each in found.items
    ]
    kinds = select("select distinct kind, kind from languages order by kind")
    return listing(
        request,
        found,
        table(("Language", "Code", "Two letters", "Kind"), rows),
        choice("kind", "Kind", kind, kinds),
        q=q,
        kind=kind,
    )


@pages.get("/currencies")
def currencies(request: Request, q: str = "", page: Number = 1) -> Html:
    found = CURRENCIES.page(Filter(q), page)
    rows = [
        (link(f"/currencies/{each.code}", each.name), each.code, each.number)
        for each in found.items
    ]
    return listing(request, found, table(("Currency", "Code", "Number"), rows), q=q)


@pages.get("/countries/{code}")
def country(code: str) -> Html:
    found = COUNTRIES.get(code)
    parts = SUBDIVISIONS.page(Filter(country=found.code), size=500).items
    names = select(NAMES_OF_COUNTRY, [found.code])
    return frame(
        f"{found.flag} {found.name}",
        facts(
            official_name=found.official_name,
            codes=f"{found.code}, {found.code3}, {found.number}",
            currencies=Html(", ").join(
                link(f"/currencies/{code}", name) for code, name in select(MONEY, [found.code])
            ),
            as_data=link(f"/api/countries/{found.code}", "JSON"),
        ),
        heading(f"{len(parts)} subdivisions") if parts else Html(),
        listed(link(f"/subdivisions/{each.code}", f"{each.name} · {each.kind}") for each in parts),
        heading("In other languages") if names else Html(),
        table(
            ("Language", "Name"),
            (
                (link(f"/languages/{key}", said), spoken(tag, name))
                for key, tag, said, name in names
            ),
        ),
        here="countries",
    )


@pages.get("/subdivisions/{code}")
def subdivision(code: str) -> Html:
    found = SUBDIVISIONS.get(code)
    within = COUNTRIES.get(found.country)
    parts = select(
        "select code, name from subdivisions where parent = ? order by name", [found.code]
    )
    return frame(
        found.name,
        facts(
            kind=found.kind,
            code=found.code,
            country=link(f"/countries/{within.code}", f"{within.flag} {within.name}"),
            part_of=found.parent and link(f"/subdivisions/{found.parent}", found.parent),
            as_data=link(f"/api/subdivisions/{found.code}", "JSON"),
        ),
        heading(f"{len(parts)} parts") if parts else Html(),
        listed(link(f"/subdivisions/{key}", name) for key, name in parts),
        here="subdivisions",
    )


@pages.get("/languages/{code}")
def language(code: str) -> Html:
    found = LANGUAGES.get(code)
    names = select(NAMES_IN_LANGUAGE, [found.code])
    rows = (
        (link(f"/countries/{key}", f"{flag} {name}"), spoken(found.code2 or found.code, word))
        for key, flag, name, word in names
    )
    return frame(
        found.name,
        facts(
            kind=found.kind,
            codes=Html(", ").join(filter(None, (found.code, found.code2))),
            as_data=link(f"/api/languages/{found.code}", "JSON"),
        ),
        heading("The countries in this language") if names else Html(),
        table(("Country", "Name"), rows),
        here="languages",
    )


@pages.get("/currencies/{code}")
def currency(code: str) -> Html:
    found = CURRENCIES.get(code)
    home = select(
        "select code, flag, name from countries where code = substr(?, 1, 2)", [found.code]
    )
    return frame(
        found.name,
        facts(
            codes=f"{found.code}, {found.number}",
            country=Html("").join(
                link(f"/countries/{c}", f"{flag} {name}") for c, flag, name in home
            ),
            as_data=link(f"/api/currencies/{found.code}", "JSON"),
        ),
        here="currencies",
    )


def listing(request: Request, found: Page[Any], rows: Html, *choices: Html, **chosen: str) -> Html:
    """The page of a list: what narrows it down, a table, and the ways to other pages of it."""
    name = request.path.strip("/")

    def at(number: int) -> str:
        return request.url_for(f".{name}", page=number, **chosen)

    export = request.url_for("api.export", name=name, **chosen)
    return frame(
        name.capitalize(),
        filters(chosen["q"], *choices),
        rows if found.items else text("Nothing of that kind is known."),
        turning(found, at(found.page - 1), at(found.page + 1)),
        Html.format(
            "<p>The same as {} and {}.</p>",
            link(request.url_for(f"api.{name}", page=found.page, **chosen), "JSON"),
            link(export, "CSV"),
        ),
        here=name,
    )
