"""The fenced blocks of a Markdown page, and its links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")])

GOES_ON_FROM = {
    "10-a-page-that-changes.md": "9-a-larger-application.md",
    "11-a-chat.md": "10-a-page-that-changes.md",
}
"""Pages that begin in the folder in which the reader has left another one."""

_FENCE = re.compile(r"(?P<indent> *)(?P<fence>```+)(?P<info>.*)")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """What stands between two fences.

    Attributes:
        page: the file.
        line: of the opening fence, counted from 1.
        language: the first word after the fence.
        attributes: what follows as `name="value"`: `title` makes a Python block a file of that name, `refused` says
            by which code a wrong program is refused.
        text: without the fences.
    """

    page: Path
    line: int
    language: str
    attributes: dict[str, str]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page in their order.

    Raises:
        ValueError: a fence is not closed.
    """
    found: list[Block] = []
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        fence = _FENCE.fullmatch(line)
        if fence is None:
            continue
        language, _, rest = fence["info"].strip().partition(" ")
        inside: list[str] = []
        for _, text in lines:
            if text.strip() == fence["fence"]:
                break
            inside.append(text.removeprefix(fence["indent"]))
        else:
            raise ValueError(f"{page}:{number}: the fence is not closed")
        attributes = dict(_ATTRIBUTE.findall(rest))
        found.append(Block(page, number, language, attributes, "\n".join(inside) + "\n"))
    return found


def files_before(page: Path) -> dict[str, str]:
    """What lies in the folder in which a page begins."""
    earlier = GOES_ON_FROM.get(page.name)
    return files_after(page.with_name(earlier)) if earlier is not None else {}


def files_after(page: Path) -> dict[str, str]:
    """The files of a reader who has come to the end of a page."""
    titled = [block for block in blocks_of(page) if "title" in block.attributes]
    return files_before(page) | {block.attributes["title"]: block.text for block in titled}


def links_of(page: Path) -> list[str]:
    """Where the page links to, outside of its blocks."""
    text = re.sub(
        r"^( *)```.*?^\1```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", text))


def anchors_of(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
