"""What a docstring says: a summary, a description, and a sentence for each parameter (Google style, `Args:`)."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

SECTION = re.compile(
    r"(Args|Arguments|Parameters|Attributes|Returns?|Yields?|Raises|Examples?|Notes?|Keys):$"
)
ARGUMENT = re.compile(r"\*{0,2}(\w+)(?: *\([^)]*\))?: *(.*)")


class Docstring(msgspec.Struct, frozen=True):
    """A docstring, taken apart.

    Attributes:
        summary: its first paragraph, in one line.
        description: what follows, up to the first section.
        parameters: what `Args:` says of each.
        returns: what `Returns:` says.
    """

    summary: str = ""
    description: str = ""
    parameters: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    returns: str = ""


def docstring_of(function: Any) -> Docstring:
    """The docstring of a function; an empty one for what has none of its own."""
    doc: object = getattr(function, "__doc__", None)
    if not isinstance(doc, str) or doc == type(function).__doc__:
        return Docstring()
    sections: dict[str, list[str]] = {"": []}
    name = ""
    for line in inspect.cleandoc(doc).splitlines():
        found = SECTION.fullmatch(line)
        if found is not None:
            name = found[1]
            sections[name] = []
        else:
            sections[name].append(line)
    prose = "\n".join(sections[""]).strip()
    summary, _, description = prose.partition("\n\n")
    arguments = sections.get("Args") or sections.get("Arguments") or sections.get("Parameters")
    returns = sections.get("Returns") or sections.get("Return") or []
    return Docstring(
        " ".join(summary.split()),
        description.strip(),
        arguments_of(arguments or []),
        " ".join(" ".join(returns).split()),
    )


def arguments_of(lines: list[str]) -> dict[str, str]:
    """The lines of `Args:`; what is indented deeper belongs to the parameter above."""
    found: dict[str, str] = {}
    name, depth = "", 0
    for line in lines:
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        match = ARGUMENT.fullmatch(text)
        if match is not None and (not name or indent <= depth):
            name, depth = match[1], indent
            found[name] = match[2]
        elif name and text:
            found[name] = f"{found[name]} {text}".strip()
    return found
