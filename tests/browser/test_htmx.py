"""The how-tos about htmx do in a browser what they say."""

from __future__ import annotations

import asyncio
import contextlib
import runpy
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from kingpost.testing import LiveServer
from tests.browser.chromium import PROGRAM, Page, chromium, shows
from tests.docs.markdown import blocks_of
from tests.needs import need
from tools import assets

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.browser

need(PROGRAM, "Chromium", remedy="apt-get install chromium")
need(assets.are_there(), "htmx", remedy="python -m tools.assets")


@contextlib.contextmanager
def served(name: str, folder: Path) -> Iterator[str]:
    """The address of a how-to's program."""
    program = folder
    for block in blocks_of(ROOT / "docs" / "howto" / f"{name}.md"):
        if "title" in block.attributes:
            file = folder / block.attributes["title"]
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
            program = file if file.suffix == ".py" else program
    app = runpy.run_path(str(program))["app"]
    with LiveServer(app) as server:
        yield server.url


def drive(
    name: str, folder: Path, steps: Callable[[Page], Awaitable[None]], *, scripts: bool = True
) -> None:
    async def run(url: str) -> None:
        async with chromium() as page:
            await page.command("Emulation.setScriptExecutionDisabled", value=not scripts)
            await page.open(url)
            await steps(page)

    with served(name, folder) as url:
        asyncio.run(run(url))


def test_search_as_you_type(tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.run(
            "var i = document.querySelector('input'); i.value = 'ed'; i.dispatchEvent(new Event('input', {bubbles: true}))"
        )
        await page.until(f"!{shows('Brie')}")
        assert await page.text() == "Search Cheddar Edam"
        assert await page.run("location.search") == "?q=ed"

    drive("htmx-search", tmp_path, steps)


def test_edit_in_place(tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.run("document.querySelector('a').click()")
        await page.until("!!document.querySelector('input')")
        await page.run(
            "document.querySelector('input').value = ''; document.querySelector('button').click()"
        )
        await page.until(shows("A name is needed."))
        await page.run(
            "document.querySelector('input').value = 'Ada L'; document.querySelector('button').click()"
        )
        await page.until("!document.querySelector('input')")
        assert await page.text() == "Ada L Edit Grace Edit"
        assert await page.run("location.pathname") == "/"

    drive("htmx-edit", tmp_path, steps)


def test_scroll_on_and_on(tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.until(shows("line 5"))
        assert await page.text() == "line 1 line 2 line 3 line 4 line 5"

    drive("htmx-scroll", tmp_path, steps)


def test_delete_and_undo(tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.run(
            "window.changes = 0; document.body.addEventListener('notes-changed', () => window.changes++);"
            "document.querySelector('button').click()"
        )
        await page.until(shows("Deleted: buy milk"))
        await page.run("document.querySelector('button').click()")
        await page.until(f"!{shows('Deleted')}")
        assert await page.text() == "buy milk Delete call Bob Delete"
        await page.until("window.changes === 2")

    drive("htmx-undo", tmp_path, steps)


# -- without scripts


def test_search_without_scripts(tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.run(
            "document.querySelector('input').value = 'ed'; document.querySelector('button').click()"
        )
        await page.until("location.search === '?q=ed'")
        assert await page.text() == "Search Cheddar Edam"

    drive("htmx-search", tmp_path, steps, scripts=False)


def test_edit_without_scripts(tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.run("document.querySelector('a').click()")
        await page.until("location.pathname === '/contacts/1' && !!document.querySelector('input')")
        await page.run(
            "document.querySelector('input').value = ''; document.querySelector('button').click()"
        )
        await page.until(shows("A name is needed."))
        await page.run(
            "document.querySelector('input').value = 'Ada L'; document.querySelector('button').click()"
        )
        await page.until("location.pathname === '/' && !document.querySelector('input')")
        await page.until(shows("Ada L"))
        assert await page.text() == "Ada L Edit Grace Edit"

    drive("htmx-edit", tmp_path, steps, scripts=False)


def test_pages_in_the_place_of_scrolling_without_scripts(tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        assert await page.text() == "line 1 line 2 More"
        for last in (4, 5):
            await page.run("document.querySelector('a').click()")
            await page.until(shows(f"line {last}"))
        assert await page.text() == "line 5"

    drive("htmx-scroll", tmp_path, steps, scripts=False)


def test_delete_and_undo_without_scripts(tmp_path: Path) -> None:
    async def steps(page: Page) -> None:
        await page.run("document.querySelector('button').click()")
        await page.until(shows("Deleted: buy milk"))
        assert await page.run("location.pathname") == "/"
        await page.run("document.querySelector('button').click()")
        await page.until(f"!{shows('Deleted')}")
        await page.until(shows("call Bob"))
        assert await page.text() == "buy milk Delete call Bob Delete"

    drive("htmx-undo", tmp_path, steps, scripts=False)
