"""The same views with three engines: which one is said where `Templates` is made, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import htpy
import pytest

from kingpost import App, Request
from kingpost.middleware import ContentSecurityPolicy
from kingpost.templates import (
    EngineOptions,
    HtmxRequest,
    Look,
    MakeEngine,
    Template,
    Templates,
)
from kingpost.templates.jinja import Jinja
from kingpost.templates.minijinja import MiniJinja
from kingpost.testing import TestClient

SOURCE = (
    "<main>{% for todo in todos %}"
    "{% block row scoped %}<p>{{ todo }} by {{ author }} {{ url_for('show', id=todo) }}</p>{% endblock %}"
    '{% endfor %}</main><script nonce="{{ csp_nonce() }}"></script>'
)


class Builder:
    """Pages built in Python: a function for each, whose parts are functions, too."""

    def __init__(self, options: EngineOptions) -> None:
        self.functions = options.functions

    def look(self, name: str, /) -> Look:
        return Look(None, frozenset({"author"}), frozenset({"row"}))

    def render(self, name: str, block: str, values: Mapping[str, Any], /) -> str:
        parts: dict[str, Callable[[Mapping[str, Any]], Any]] = {"row": self.row, "": self.page}
        return str(parts[block](values))

    def row(self, values: Mapping[str, Any]) -> Any:
        url = self.functions["url_for"]("show", id=values["todo"])
        return htpy.p[values["todo"], " by ", values["author"], " ", url]

    def page(self, values: Mapping[str, Any]) -> Any:
        rows = (self.row({**values, "todo": todo}) for todo in values["todos"])
        script = htpy.script(nonce=self.functions["csp_nonce"]())
        return htpy.fragment[htpy.main[rows], script]


@pytest.mark.parametrize("engine", [Jinja, MiniJinja, Builder])
def test_the_same_views_are_rendered_alike(engine: MakeEngine, tmp_path: Path) -> None:
    (tmp_path / "todos.html").write_text(SOURCE, encoding="utf-8")
    app = App(middleware=[ContentSecurityPolicy()])
    app.install(Templates(tmp_path, engine=engine))

    @app.extensions.template_context
    def author(request: Request) -> str:
        return request.query.get("author", "<Ann>")

    @app.get("/")
    def index(htmx: HtmxRequest) -> Template:
        if htmx.wants_block:
            return Template("todos.html#row", todo="milk")
        return Template("todos.html", todos=["milk", "<b>"])

    @app.get("/{id}")
    def show(id: str) -> Template:
        return Template("todos.html#row", todo=id, author="Bob")

    with TestClient(app) as browser:
        page = browser.get("/")
        part = browser.get("/", headers={"hx-request": "true"})
        shown = browser.get("/tea")

    nonce = page.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
    assert page.text == (
        "<main><p>milk by &lt;Ann&gt; /milk</p><p>&lt;b&gt; by &lt;Ann&gt; /%3Cb%3E</p></main>"
        f'<script nonce="{nonce}"></script>'
    )
    assert len(nonce) > 16
    assert part.text == "<p>milk by &lt;Ann&gt; /milk</p>"
    assert shown.text == "<p>tea by Bob /tea</p>"
    for answer in (page, part, shown):
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
