"""The atlas for people."""

from typing import Any

from layout import choice, each, frame, link, links, table
from world import HERE, TOPICS, Entry, Small, Topic, find, get, select, wanted

from kingpost import Blueprint, Html, Request

LIST = (HERE / "list.html").read_text(encoding="utf-8")
PLACES = "select distinct country from entries where topic = ? and country <> '' order by 1"
KINDS = "select distinct kind from entries where topic = ? and kind <> '' order by 1"
HINT = Html("<p>Write the beginning of a name, in any language, or a code.</p>")
BELOW = "select * from below where above = ? order by topic, name"
WORDS = "select * from words where above = ? order by remark"

pages = Blueprint("pages")


@pages.get("/")
def home() -> Html:
    sizes = [(name, find(wanted(name), size=1).total) for name in TOPICS]
    cards = each('<li><a href="/{0}"><b>{1:,}</b> {0}</a></li>', sizes)
    countries = links("Every country", select("select * from every_country"))
    return frame("The world", Html.format('<ul class="cards">{}</ul>', cards), countries)


@pages.get("/search")
def search(request: Request, q: str = "") -> Html:
    content: list[Html] = []
    for name in TOPICS if q.strip() else ():
        found = find(wanted(name, q), size=12)
        rows = [(name, each.code, each.name, "en", each.code) for each in found.items]
        content.append(links(f"{name.capitalize()}: {found.total:,}", rows))
        if found.pages > 1:
            content.append(link(request.url_for(".some", of=name, q=q), f"All {name} found"))
    return frame("Search", *content, HINT, q=q)


@pages.get("/{of}")
def some(
    request: Request, of: Topic, q: str = "", country: str = "", kind: str = "", *, page: Small = 1
) -> Html:
    chosen: Any = {"q": q or None, "country": country or None, "kind": kind or None}
    found = find(wanted(of, q, country, kind), page)

    def at(words: str, name: str, number: int | None) -> Html:
        return link(request.url_for(name, of=of, page=number, **chosen), words)

    rows = [
        (link(f"/{of}/{e.code}", f"{e.flag} {e.name}"), e.code, f"{e.kind} {e.country} {e.number}")
        for e in found.items
    ]
    content = Html.format(
        LIST,
        q=q,
        country=choice("country", country, select(PLACES, [of])),
        kind=choice("kind", kind, select(KINDS, [of])),
        table=table(("Name", "Code", "About"), rows) or HINT,
        before=at("← Before", ".some", page - 1) if page > 1 else "",
        page=page,
        pages=found.pages,
        total=found.total,
        after=at("Next →", ".some", page + 1) if page < found.pages else "",
        json=at("JSON", "api.some", page),
        csv=at("CSV", "api.file", None),
    )
    return frame(of.capitalize(), content, here=of)


@pages.get("/{of}/{code}")
def one(request: Request, of: Topic, code: str) -> Html:
    entry = get(of, code)
    data = link(request.url_for("api.one", of=of, code=entry.code), entry.code)
    known: dict[str, object] = {"code": data}
    known |= {key: getattr(entry, key) for key in Entry.__struct_fields__[4:]}
    known["country"] = entry.country and link(f"/countries/{entry.country}", entry.country)
    known["part_of"] = entry.part_of and link(f"/{of}/{entry.part_of}", entry.part_of)
    facts = ((key.replace("_", " ").capitalize(), value) for key, value in known.items() if value)
    return frame(
        f"{entry.flag} {entry.name}",
        Html.format("<dl>{}</dl>", each("<dt>{}</dt><dd>{}</dd>", facts)),
        links("Below it", select(BELOW, [entry.code])),
        links("In other languages", select(WORDS, [entry.code])),
        here=of,
    )
