"""`Template`: a page or a block of one, as an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from kingpost.app.rendered import Rendered
from kingpost.http.extensions import OCTETS, media_type_of_name
from kingpost.http.headers import Fields

WRAPPERS: Final = (".j2", ".jinja", ".jinja2")
"""Ends of names that say of what kind a template is, not of what kind the page is."""
HTML: Final = "text/html; charset=utf-8"


class Template(Rendered):
    """A page, rendered where the handler ran, by the `Templates` that the App has.

    A `def` handler renders on its thread; an `async def` one on the event loop, since engines render without waiting: write `def` where a
    page takes long.

    Args:
        name: the file below the folder of templates, such as `"todos/list.html"`; `"todos/list.html#row"` is its block `row` alone.
        status: 200 to 599.
        headers: fields of the answer; `content-type` is by the end of the name if not said.
        context: what the template has by name.

    Attributes:
        name: without the block.
        block: the block's name, empty for the page.
        context: as given; may be changed until the response is returned.

    Raises:
        ValueError: as Response; for a name that is empty.

    Example:
        >>> page = Template("todos.html#row", status=201, todo="milk")
        >>> (page.name, page.block, page.context)
        ('todos.html', 'row', {'todo': 'milk'})
    """

    __slots__ = ("block", "context", "name")

    remedy: ClassVar[str] = (
        "from kingpost.templates import Templates; app.install(Templates()); "
        "middleware returns Html(templates.render(…))"
    )

    name: str
    block: str
    context: dict[str, object]

    def __init__(
        self, name: str, /, *, status: int = 200, headers: Fields | None = None, **context: object
    ) -> None:
        super().__init__(None, status=status, headers=headers)
        self.name, self.block = split_name(name)
        self.context = context

    def __repr__(self) -> str:
        return f"Template({joined_name(self.name, self.block)!r})"


def split_name(name: str) -> tuple[str, str]:
    """The file and the block that a name means.

    Raises:
        ValueError: it names no file, or an empty block.
    """
    file, mark, block = name.partition("#")
    if not file or (mark and not block):
        raise ValueError(f"{name!r} is no template: write 'page.html', or 'page.html#block'")
    return file, block


def joined_name(name: str, block: str) -> str:
    return f"{name}#{block}" if block else name


def plain_name(name: str) -> str:
    """A name without the end that says which engine it is for."""
    for end in WRAPPERS:
        if name.endswith(end):
            return name.removesuffix(end)
    return name


def media_type_of(name: str) -> str:
    """The Content-Type of a page."""
    found = media_type_of_name(plain_name(name))
    return HTML if found == OCTETS else found


TEXT: Final = (".txt", ".md", ".csv", ".ics")
"""Ends of names of pages that are no HTML, and would be spoilt by its escapes."""


def is_escaped(name: str) -> bool:
    """Whether values are escaped in a template: in all that is not known to be plain text."""
    return not plain_name(name).lower().endswith(TEXT)


Context = Mapping[str, object]
