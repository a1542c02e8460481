"""Every page, read as a reader would: files written, commands typed, requests made, answers compared."""

from __future__ import annotations

import re
import shutil
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
import kingpost.templates
import kingpost.testing
from kingpost import App, WebSocket
from tests.docs.markdown import PAGES, ROOT, anchors_of, blocks_of, files_before, links_of
from tests.docs.reader import Reader
from tests.needs import need
from tools import assets

REFERENCE = {
    name: module
    for module in (
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
        kingpost.templates,
        kingpost.testing,
    )
    for name in module.__all__
}
"""The names that the prompts of the reference page know, each with a module that has it."""

WITH_BLOCKS = [page for page in PAGES if blocks_of(page)]
TREE = re.compile(r"`((?:crates|docs|examples|python|tests|tools)/[^`\s]+)`")
"""A file or folder of ours that a page names."""


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

    @app.websocket("/echo")
    async def echo(ws: WebSocket) -> None:
        async for message in ws:
            await ws.send(message)

    @app.get("/export.csv")
    def export() -> Iterator[str]:
        yield "a,b\n"

    return {
        **{name: getattr(module, name) for name, module in REFERENCE.items()},
        "app": app,
        "urllib": urllib,
        "client": kingpost.testing.TestClient(app),
    }


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT).with_suffix(""))


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
def test_what_the_page_says_happens(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    if page.is_relative_to(ROOT / "examples"):
        # It goes with the program beside it.
        need(assets.are_there(), "htmx", remedy="python -m tools.assets")
        shutil.copytree(page.parent, folder, ignore=shutil.ignore_patterns("*.db", "__*", ".*"))
    else:
        folder.mkdir()
    for name, text in files_before(page).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
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


def test_every_page_is_reached_from_the_first() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page not in PAGES:
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links_of(page)]

    assert set(ROOT.glob("docs/**/*.md")) - reached == set()


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/design/*.md")), ids=name_of)
def test_the_files_that_a_record_names_are_there(page: Path) -> None:
    for named in TREE.findall(page.read_text(encoding="utf-8")):
        before, opened, rest = named.partition("{")
        inside, _, behind = rest.partition("}")
        for each in inside.split(",") if opened else [""]:
            path = f"{before}{each}{behind}"
            assert list(ROOT.glob(path.rstrip("/"))), f"{path} is not there"
