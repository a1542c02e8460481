"""The shell of a whole page, for the pages that Kingpost itself shows. A user's pages come from templates."""

from __future__ import annotations

from kingpost.html.markup import Html

_SHELL = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def page(title: str, body: Html, *, style: str = "", language: str = "en") -> Html:
    """A complete HTML document without external assets.

    Args:
        title: The text of the window's title; escaped.
        body: What stands between `<body>` and `</body>`.
        style: CSS, written by the programmer.
        language: A BCP 47 tag for the document.

    Raises:
        ValueError: The style holds `</`, which would end the element early.
    """
    if "</" in style:
        raise ValueError("style: '</' would end the <style> element; CSS never needs it, remove it")
    shown = Html.format(_SHELL, title=title, body=body, style=Html(style), language=language)
    # A lone surrogate (from a message or a file name) has no bytes: it must not cost the whole page.
    return shown if shown.isascii() else Html(shown.encode("utf-8", "replace").decode())
