"""The whole page: its style and its script stand in it, and a policy lets nothing else in."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kingpost.html import Html, page
from kingpost.openapi.page.look import Document
from kingpost.openapi.page.markdown import blocks
from kingpost.openapi.page.operations import operation_part
from kingpost.openapi.page.schemas import schema_part

FOLDER: Final = Path(__file__).parent
OTHERS: Final = "Others"
BODY: Final = """\
<a class="skip" href="#operations">To the operations</a>
<header>
<h1>{title} <small>{version}</small></h1>
{description}
<p>For programs: <a href="{base}/openapi.json">openapi.json</a>, <a href="{base}/openapi.yaml">openapi.yaml</a></p>
<div class="tools" hidden>
<label>Filter <input type="search" id="filter" autocomplete="off"></label>
<label>Authorization <input type="text" id="authorization" autocomplete="off" spellcheck="false" placeholder="Bearer …"></label>
</div>
</header>
<main id="operations" data-path="{path}">
{sections}
{schemas}
</main>
<p id="nothing" hidden>No operation has these words.</p>
<script>{script}</script>
"""


@functools.cache
def asset(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@functools.cache
def policy() -> str:
    """The page's Content-Security-Policy: its own script and its own style, told by their digests, and requests to the site itself."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {digest('page.js')}",
            f"style-src {digest('page.css')}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def digest(name: str) -> str:
    made = hashlib.sha256(asset(name).encode()).digest()
    return f"'sha256-{base64.b64encode(made).decode()}'"


def shown(whole: Mapping[str, Any], path: str) -> Html:
    """The page of a document.

    Args:
        whole: the document.
        path: where the page is served; empty for the top of the site.
    """
    document, info = Document(whole), whole["info"]
    body = Html.format(
        BODY,
        title=info["title"],
        version=info["version"],
        description=prose(info.get("description", "")),
        base=path.rpartition("/")[2] or ".",
        path=path,
        sections=Html("\n").join(sections(document)),
        schemas=schema_list(document),
        script=Html(asset("page.js")),
    )
    return page(info["title"], body, style=asset("page.css"))


def prose(text: str) -> Html:
    return Html.format('<div class="prose">{}</div>', blocks(text)) if text else Html("")


def sections(document: Document) -> list[Html]:
    by_tag: dict[str, list[Html]] = {}
    for path, method, operation in document.operations():
        part = operation_part(document, path, method, operation)
        tags: Sequence[str] = operation.get("tags") or [OTHERS]
        # Shown once: two elements of one id lead nowhere.
        by_tag.setdefault(tags[0], []).append(part)
    if list(by_tag) == [OTHERS]:
        return [Html.format("<section>{}</section>", Html("\n").join(by_tag[OTHERS]))]
    return [
        Html.format("<section>\n<h2>{}</h2>\n{}\n</section>", tag, Html("\n").join(parts))
        for tag, parts in by_tag.items()
    ]


def schema_list(document: Document) -> Html:
    parts = [schema_part(name, schema) for name, schema in document.schemas.items()]
    if not parts:
        return Html("")
    return Html.format("<section>\n<h2>Schemas</h2>\n{}\n</section>", Html("\n").join(parts))
