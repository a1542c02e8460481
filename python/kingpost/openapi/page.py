"""The page of an API: Swagger UI, sent from the site itself, which shows the document beside it.

Rule 1: the page runs and loads what this module names, and its Content-Security-Policy lets nothing else in.
Rule 2: Swagger UI is sent from where it lies: an App that has the page pays for two digests at the start, and for nothing more until somebody
opens it.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Final

from kingpost.app.pages.policy import digest_source
from kingpost.html import Html, page
from kingpost.openapi.components import Schema
from kingpost.openapi.origins import origins

FOLDER: Final = Path(__file__).with_name("packed")
"""Where Swagger UI lies. It is fetched when Kingpost is built (see tools/assets.py), and is part of its wheels."""

SWAGGER_UI: Final = frozenset({"oauth2-redirect.js", "swagger-ui-bundle.js", "swagger-ui.css"})
"""What the page has of it."""

SHOWN: Final = """\
<link rel="stylesheet" href="{base}/swagger-ui/{style}">
<noscript><p class="said">This page needs JavaScript. What it shows is in <a href="{base}/openapi.json">openapi.json</a> and
<a href="{base}/openapi.yaml">openapi.yaml</a>, too.</p></noscript>
<div id="page" data-path="{path}" data-base="{base}"></div>
<script src="{base}/swagger-ui/{bundle}"></script>
<script>{script}</script>"""

MISSING: Final = """\
<main class="said">
<h1>{title}</h1>
<p>This Kingpost was built without the files of this page: install a wheel that <code>./dev wheels</code> made; in a clone that is installed as it is,
call <code>python3 -m tools.assets</code> and start anew.</p>
<p>What it would show is in <a href="{base}/openapi.json">openapi.json</a> and <a href="{base}/openapi.yaml">openapi.yaml</a>.</p>
</main>"""


def files() -> dict[str, Path]:
    """The files of Swagger UI and their licences, by the names that they are sent under; empty where this Kingpost was built without them."""
    if not all((FOLDER / name).is_file() for name in SWAGGER_UI):
        return {}
    licences = {path.name: path for path in FOLDER.glob("*.txt")}
    return {sent_as(FOLDER / name): FOLDER / name for name in SWAGGER_UI} | licences


@functools.cache
def sent_as(path: Path) -> str:
    """The name of a file with a digest in it: it never means another content."""
    digest = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
    return f"{path.stem}.{digest}{path.suffix}"


def shown(document: Schema, path: str) -> Html:
    """The page of a document; one that says so where its files are missing.

    Args:
        document: what is shown.
        path: where the page is, as the App knows it.
    """
    title = document["info"]["title"]
    # Below the page's own address, whatever a proxy has put in front of it.
    base = path.rpartition("/")[2] or "."
    if not files():
        body = Html.format(MISSING, title=title, base=base)
    else:
        body = Html.format(
            SHOWN,
            base=base,
            path=path.rstrip("/"),
            style=sent_as(FOLDER / "swagger-ui.css"),
            bundle=sent_as(FOLDER / "swagger-ui-bundle.js"),
            script=Html(own("page.js")),
        )
    return page(title, body, style=own("page.css"))


def redirect() -> Html:
    """Where who gives tokens sends the browser back to; a script hands what it brings to the page, which opened it."""
    script = ""
    if files():
        script = Html.format(
            '<script src="swagger-ui/{}"></script>', sent_as(FOLDER / "oauth2-redirect.js")
        )
    return page("Authorized", Html(script), style=own("page.css"))


def policy(document: Schema) -> str:
    """The page's Content-Security-Policy."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' {digest_source(own('page.js'))}",
            f"style-src 'self' {digest_source(own('page.css'))}",
            # Its own icons, and images that an operation answers.
            "img-src 'self' data: blob:",
            "media-src 'self'",
            " ".join(("connect-src 'self'", *origins(document))),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


@functools.cache
def own(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
