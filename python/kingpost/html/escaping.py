"""Turning any value into text that HTML shows as it is.

Rule 1: what has `__html__` (our `Html`, markupsafe, htpy) is HTML already and is taken as it is.
Rule 2: everything else is text; the five characters that mean something in element content or in a quoted attribute are replaced
(https://html.spec.whatwg.org section 13.3), so the result is safe in both places. Attributes must be quoted.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


@runtime_checkable
class HasHtml(Protocol):
    """What knows itself as HTML: the protocol that markupsafe, htpy, Django and Jinja share."""

    def __html__(self) -> str:
        """The HTML of the object, already escaped."""
        ...


def escape_text(text: str) -> str:
    """`text` with the five special characters replaced, whatever it is."""
    return str.translate(text, _ESCAPES)


def escape_value(value: object) -> str:
    """HTML for `value`: its own if it has `__html__`, its escaped `str()` otherwise."""
    kind = type(value)
    if kind is str:
        return escape_text(value)  # type: ignore[arg-type]  # `kind is str` narrows nothing for mypy; isinstance would catch Html too
    # Looked up on the class: asking runtime_checkable protocols costs a microsecond, and a class itself is never rendered.
    as_html = getattr(kind, "__html__", None)
    if as_html is not None:
        return str(as_html(value))
    return escape_text(str(value))
