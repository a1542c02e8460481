"""The atlas for people. Each page works without scripts; with htmx, parts of it come by themselves."""

from world import TOPICS, Change, Filter, Text, Topic, Wanted, World

from kingpost import Blueprint, Form, Redirect, Request
from kingpost.templates import Htmx, HtmxRequest, Template

PLACES = "select distinct country from entries where topic = ? and country <> '' order by 1"
KINDS = "select distinct kind from entries where topic = ? and kind <> '' order by 1"
BELOW = "select topic, code, name, tag, remark from below where above = ? order by topic, name"
WORDS = "select topic, code, name, tag, remark from words where above = ? order by remark"

pages = Blueprint("pages")


@pages.get("/", openapi=False)
def home(world: World) -> Template:
    sizes = {of: world.find(of, Wanted(size=1)).total for of in TOPICS}
    return Template("home.html", sizes=sizes, countries=world.select("select * from every_country"))


@pages.get("/search", openapi=False)
def search(request: Request, world: World, htmx: HtmxRequest, q: Text = "") -> Template:
    found = {of: world.find(of, Wanted(q=q, size=12)) for of in TOPICS if q.strip()}
    if not htmx.wants_block:
        return Template("search.html", q=q, found=found)
    part = Template("search.html#content", q=q, found=found)
    # Back leads to the page where the search began, not to each of its letters.
    begins = "/search" not in (htmx.current_url or "")
    go = Htmx(part).push_url if begins else Htmx(part).replace_url
    go(request.url_for(".search", q=q))
    return part


@pages.get("/{of}", openapi=False)
def some(of: Topic, world: World, htmx: HtmxRequest, wanted: Filter) -> Template:
    block = "#rows" if htmx.target == "more" else "#found" if htmx.wants_block else ""
    found = world.find(of, wanted)
    choices = {"country": world.select(PLACES, [of]), "kind": world.select(KINDS, [of])}
    return Template(f"list.html{block}", of=of, wanted=wanted, found=found, choices=choices)


@pages.get("/{of}/{code}", openapi=False)
def one(of: Topic, code: str, world: World, htmx: HtmxRequest) -> Template:
    entry = world.get(of, code)
    if htmx.wants_block:
        return Template("entry.html#facts", of=of, entry=entry)
    below, words = (world.select(sql, [entry.code]) for sql in (BELOW, WORDS))
    return Template("entry.html", of=of, entry=entry, below=below, words=words)


@pages.get("/{of}/{code}/edit", openapi=False)
def edit(of: Topic, code: str, world: World, htmx: HtmxRequest) -> Template:
    entry = world.get(of, code)
    shown = {name: getattr(entry, name) for name in Change.__struct_fields__}
    name = "edit.html#form" if htmx.wants_block else "edit.html"
    return Template(name, of=of, entry=entry, shown=shown, errors={})


@pages.post("/{of}/{code}/edit", openapi=False)
def save(
    of: Topic, code: str, form: Form[Change], *, world: World, htmx: HtmxRequest, request: Request
) -> Template | Redirect:
    entry = world.get(of, code)
    if not form.is_valid:
        name = "edit.html#form" if htmx.wants_block else "edit.html"
        return Template(name, status=422, of=of, entry=entry, shown=form.data, errors=form.errors)
    world.correct(entry, form.value)
    if htmx.wants_block:
        return one(of, code, world, htmx)
    return Redirect(request.url_for(".one", of=of, code=entry.code))
