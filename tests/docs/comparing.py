"""Comparing what a page shows with what happens: `…` on a page stands for anything."""

from __future__ import annotations

import html
import json
import re


def is_as_shown(shown: str, happened: str) -> bool:
    """Whether text is what the page shows: a line of `…` is any number of lines; blanks at the ends do not count."""
    pattern = "".join(
        r"(?:.*\n)*?"
        if line == "…"
        else ".*?".join(re.escape(part) for part in line.split("…")) + r"\n"
        for line in _trimmed(shown).split("\n")
    )
    return re.fullmatch(pattern, _trimmed(happened) + "\n") is not None


def is_same_json(shown: str, happened: str) -> bool:
    """Whether two JSON documents say the same, however they are laid out."""
    try:
        expected = json.loads(shown)
    except ValueError:
        return False
    return bool(expected == json.loads(happened))


def seen(page: str) -> str:
    """What a person sees of an HTML document: its text, one line for each element that has any."""
    body = re.sub(r"<(style|script|title)\b.*?</\1>", "", page, flags=re.DOTALL)
    lines = [html.unescape(part).strip() for part in re.sub(r"<[^>]*>", "\n", body).splitlines()]
    return "\n".join(line for line in lines if line)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
