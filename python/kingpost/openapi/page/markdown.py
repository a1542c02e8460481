"""Descriptions as people write them: the part of CommonMark that docstrings use, and nothing that could be HTML.

Paragraphs, lists, fenced and indented code, `code`, *emphasis*, **strong**, and links to http and https. Everything else is text. A line that
is indented within a paragraph keeps its line break: docstrings list their arguments so.
"""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Final

from kingpost.html import Html, escape

_FENCE: Final = re.compile(r" {0,3}(```+|~~~+)")
_ITEM: Final = re.compile(r"( {0,3})(?:([-*+])|(\d{1,9})[.)])(?: +|$)")
_INLINE: Final = re.compile(
    r"""
    \\(?P<escaped>[!-/:-@\[-`{-~])
    | (?P<ticks>(?<!`)`+)(?P<code>[^`]|[^`].*?[^`])(?P=ticks)(?!`)
    | \[(?P<label>[^\[\]]+)\]\((?P<url>[^()\s<>]+)\)
    | <(?P<address>https?://[^<>\s]+)>
    | \*\*(?![\s*])(?P<strong>.+?)(?<![\s*])\*\*(?!\*)
    | (?<![\w_])__(?![\s_])(?P<strong_>.+?)(?<![\s_])__(?![\w_])
    | (?<![\w*])\*(?![\s*])(?P<soft>[^*]+?)(?<!\s)\*(?![\w*])
    | (?<![\w_])_(?![\s_])(?P<soft_>[^_]+?)(?<!\s)_(?![\w_])
    """,
    re.VERBOSE | re.DOTALL,
)
_MAX_CHARACTERS: Final = 5_000
"""Of one description; what is longer is shown as it is written, for looking for marks takes time that grows with the square."""


def inline(text: str) -> Html:
    """One line or paragraph, without lists and blocks of code."""
    if len(text) > _MAX_CHARACTERS:
        return escape(text)
    parts: list[Html] = []
    position = 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[position : found.start()]), _marked(found)]
        position = found.end()
    return Html("").join([*parts, escape(text[position:])])


def _marked(found: re.Match[str]) -> Html:
    if found["escaped"]:
        return escape(found["escaped"])
    if found["code"]:
        return Html.format("<code>{}</code>", " ".join(found["code"].split()))
    strong = found["strong"] or found["strong_"]
    if strong:
        return Html.format("<strong>{}</strong>", inline(strong))
    soft = found["soft"] or found["soft_"]
    if soft:
        return Html.format("<em>{}</em>", inline(soft))
    url = found["address"] or found["url"]
    label = escape(url) if found["address"] else inline(found["label"])
    if not url.lower().startswith(("http://", "https://")):
        return escape(found[0])
    return Html.format('<a href="{}" rel="noreferrer">{}</a>', url, label)


def blocks(text: str) -> Html:
    """A whole description."""
    lines = dedent(text.expandtabs(4)).strip("\n").split("\n")
    parts: list[Html] = []
    while lines:
        if not lines[0].strip():
            lines.pop(0)
        elif fence := _FENCE.match(lines[0]):
            parts.append(_fenced(lines, fence[1]))
        elif lines[0].startswith("    "):
            parts.append(_indented(lines))
        elif _ITEM.match(lines[0]):
            parts.append(_list(lines))
        else:
            parts.append(_paragraph(lines))
    return Html("\n").join(parts)


def _code(lines: list[str]) -> Html:
    return Html.format("<pre><code>{}</code></pre>", "\n".join(lines))


def _fenced(lines: list[str], fence: str) -> Html:
    lines.pop(0)
    inside: list[str] = []
    while lines and not lines[0].strip().startswith(fence):
        inside.append(lines.pop(0))
    del lines[:1]
    return _code(inside)


def _indented(lines: list[str]) -> Html:
    inside: list[str] = []
    while lines and (lines[0].startswith("    ") or not lines[0].strip()):
        inside.append(lines.pop(0)[4:])
    while inside and not inside[-1]:
        inside.pop()
    return _code(inside)


def _list(lines: list[str]) -> Html:
    items: list[list[str]] = []
    first = _ITEM.match(lines[0])
    is_numbered = first is not None and first[3] is not None
    while lines:
        found = _ITEM.match(lines[0])
        if found is not None:
            if (found[3] is not None) != is_numbered:
                break
            items.append([lines.pop(0)[found.end() :]])
        elif lines[0].strip() and not _FENCE.match(lines[0]):
            items[-1].append(lines.pop(0).strip())
        elif len(lines) > 1 and not lines[0].strip() and _ITEM.match(lines[1]):
            lines.pop(0)
        else:
            break
    name = "ol" if is_numbered else "ul"
    inside = Html("").join(Html.format("<li>{}</li>", inline(" ".join(item))) for item in items)
    return Html.format("<{}>{}</{}>", Html(name), inside, Html(name))


def _paragraph(lines: list[str]) -> Html:
    inside = [lines.pop(0).strip()]
    while lines and lines[0].strip() and not _FENCE.match(lines[0]) and not _ITEM.match(lines[0]):
        line = lines.pop(0)
        inside.append(("\n" if line.startswith(" ") else " ") + line.strip())
    shown = inline("".join(inside))
    return Html.format("<p>{}</p>", Html(str(shown).replace("\n", "<br>\n")))
