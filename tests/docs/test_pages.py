"""Every page, read as a reader would: files written, commands typed, requests made, answers compared."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kingpost
import kingpost.errors
import kingpost.html
import kingpost.http
import kingpost.interop
import kingpost.middleware
import kingpost.openapi
import kingpost.schema
import kingpost.settings
import kingpost.signing
import kingpost.staticfiles
import kingpost.testing
from kingpost import App
from tests.docs.markdown import PAGES, ROOT, anchors_of, blocks_of, links_of
from tests.docs.reader import Reader

WITH_BLOCKS = [page for page in PAGES if page.parent.name != "atlas" and blocks_of(page)]


def reference_names() -> dict[str, Any]:
    """What the examples of docstrings take for granted: our names, an app, and a client of it."""
    app = App()

    @app.get("/")
    def home() -> str:
        return "Hello, world!"

    @app.get("/todos")
    def todos(*, done: bool = False) -> list[str]:
        return []

    @app.get("/todos/{id:int}")
    def todo(id: int) -> dict[str, object]:
        return {"id": id, "title": "learn to juggle"}

    @app.get("/export.csv")
    def export() -> Iterator[str]:
        yield "a,b\n"

    modules = (
        kingpost.errors,
        kingpost,
        kingpost.html,
        kingpost.http,
        kingpost.interop,
        kingpost.middleware,
        kingpost.openapi,
        kingpost.schema,
        kingpost.settings,
        kingpost.signing,
        kingpost.staticfiles,
        kingpost.testing,
    )
    names = {name: getattr(module, name) for module in modules for name in module.__all__}
    return {
        **names,
        "app": app,
        "urllib": urllib,
        "client": kingpost.testing.TestClient(app),
    }


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT).with_suffix(""))


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
def test_what_the_page_says_happens(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    with Reader(folder, reference_names() if page.name == "names.md" else None) as reader:
        for block in blocks_of(page):
            reader.read(block)
        reader.finish()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_its_links_lead_somewhere(page: Path) -> None:
    for link in links_of(page):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors_of(target), f"{link}: there is no such heading"
