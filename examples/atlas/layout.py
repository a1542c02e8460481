"""What the pages are made of: the frame around them, text, tables and the links that turn a page."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kingpost import Html
from world import COLLECTIONS, Page

FRAME = (Path(__file__).parent / "frame.html").read_text(encoding="utf-8")


def frame(title: str, *content: Html, q: str = "", here: str = "") -> Html:
    """A whole page; `here` is the link of the navigation that is marked as the current one."""
    links = [
        Html.format(
            '<a href="/{}"{}>{}</a> ',
            name,
            marked('aria-current="page"', name == here),
            name.capitalize(),
        )
        for name in (*COLLECTIONS, "corrections")
    ]
    parts = Html("\n").join(content)
    return Html.format(FRAME, title=title, q=q, links=Html("").join(links), content=parts)


def marked(attribute: str, condition: bool) -> Html:
    return Html(f" {attribute}") if condition else Html()


def text(sentence: str) -> Html:
    return Html.format("<p>{}</p>", sentence)


def heading(words: str) -> Html:
    return Html.format("<h2>{}</h2>", words)


def link(address: str, words: object) -> Html:
    return Html.format('<a href="{}">{}</a>', address, words)


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """A table, where there are rows; the first cell of a row is the head of it."""
    head = Html("").join(Html.format('<th scope="col">{}</th>', title) for title in titles)
    lines = [
        Html.format('<tr><th scope="row">{}</th>{}</tr>', row[0], cells(row[1:])) for row in rows
    ]
    if not lines:
        return Html()
    return Html.format(
        '<div class="wide"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        head,
        Html("\n").join(lines),
    )


def cells(values: Iterable[object]) -> Html:
    return Html("").join(Html.format("<td>{}</td>", value) for value in values)


def listed(items: Iterable[Html]) -> Html:
    """Short things side by side."""
    lines = Html("\n").join(Html.format("<li>{}</li>", item) for item in items)
    return Html.format('<ul class="listed">{}</ul>', lines) if lines else lines


def spoken(language: str, words: str) -> Html:
    """Words of another language, marked so that they are read aloud and written in its way."""
    return Html.format('<span lang="{}" dir="auto">{}</span>', language, words)


def facts(**values: object) -> Html:
    """A list of what is known; what is empty is left out."""
    pairs = [
        Html.format("<dt>{}</dt><dd>{}</dd>", name.replace("_", " ").capitalize(), value)
        for name, value in values.items()
        if value
    ]
    return Html.format("<dl>{}</dl>", Html("").join(pairs))


def filters(q: str, *choices: Html) -> Html:
    """The form above a list."""
    return Html.format(
        '<form class="filters"><label>Name or code <input name="q" value="{}" maxlength="100">'
        "</label>{}<button>Show</button></form>",
        q,
        Html("").join(choices),
    )


def choice(name: str, label: str, chosen: str, options: Iterable[tuple[str, str]]) -> Html:
    """A drop-down list of a form; its first line chooses nothing."""
    lines = [
        Html.format(
            '<option value="{}"{}>{}</option>', key, marked("selected", key == chosen), words
        )
        for key, words in (("", "all"), *options)
    ]
    return Html.format(
        '<label>{} <select name="{}">{}</select></label>', label, name, Html("").join(lines)
    )


def turning(page: Page[Any], before: str, after: str) -> Html:
    """How much there is, and the links to the page before and the page after."""
    parts = [
        Html.format("<span>Page {} of {}, {:,} in all</span>", page.page, page.pages, page.total)
    ]
    if page.page > 1:
        parts.insert(0, Html.format('<a href="{}" rel="prev">← Before</a>', before))
    if page.page < page.pages:
        parts.append(Html.format('<a href="{}" rel="next">Next →</a>', after))
    return Html.format('<nav class="turning" aria-label="Pages">{}</nav>', Html(" ").join(parts))
