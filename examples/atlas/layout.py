"""What pages are made of: the frame around them, links, tables and drop-down lists."""

from collections.abc import Iterable, Sequence

from world import HERE, TOPICS

from kingpost import Html

FRAME = (HERE / "frame.html").read_text(encoding="utf-8")
CHOICE = '<label>{} <select name="{}"><option value="">all</option>{}</select></label>'
ITEM = '<li><a href="/{0}/{1}" lang="{3}" dir="auto">{2}</a> <small>{4}</small></li>'
TABLE = '<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'


def frame(title: str, *content: Html, q: str = "", here: str = "") -> Html:
    """A whole page; `here` is the place that the navigation marks."""
    places = ((name, name.capitalize(), name == here) for name in (*TOPICS, "corrections"))
    marked = ((*names, Html(' aria-current="page"' * is_here)) for *names, is_here in places)
    ways = each('<a href="/{0}"{2}>{1}</a>', marked)
    return Html.format(FRAME, title=title, q=q, ways=ways, content=Html("\n").join(content))


def each(pattern: str, rows: Iterable[Sequence[object]]) -> Html:
    """The pattern once for every row, its values filled in."""
    return Html("\n").join(Html.format(pattern, *row) for row in rows)


def link(address: str, words: object) -> Html:
    return Html.format('<a href="{}">{}</a>', address, words)


def links(title: str, rows: Iterable[Sequence[str]]) -> Html:
    """Entries below a heading: rows of topic, code, name, language of the name, and a remark."""
    items = each(ITEM, rows)
    return Html.format('<h2>{}</h2><ul class="links">{}</ul>', title, items) if items else Html()


def table(titles: Iterable[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table; the first cell of a row says what the row is about."""
    head = each('<th scope="col">{}</th>', ([title] for title in titles))
    cells = ((first, each("<td>{}</td>", ([cell] for cell in rest))) for first, *rest in rows)
    body = each('<tr><th scope="row">{}</th>{}</tr>', cells)
    return Html.format(TABLE, head, body) if body else Html()


def choice(name: str, chosen: str, options: Iterable[Sequence[str]]) -> Html:
    """A drop-down list of a form, whose first line chooses nothing; none without options."""
    lines = ((key, Html(" selected" * (key == chosen))) for (key,) in options)
    shown = each("<option{1}>{0}</option>", lines)
    return Html.format(CHOICE, name.capitalize(), name, shown) if shown else Html()
