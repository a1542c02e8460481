"""The clock of the page about Sanic, in a browser: what a WebSocket brings is shown, and pages of other sites are refused."""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from kingpost.testing import LiveServer
from tests.browser.chromium import PROGRAM, Page, chromium
from tests.docs.markdown import blocks_of
from tests.needs import need

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.browser

need(PROGRAM, "Chromium", remedy="apt-get install chromium")

OPEN = """
window.ended = null;
opened = new WebSocket("{address}/websocket");
opened.onmessage = (event) => {{ window.ended = "message"; opened.close(4000, "enough"); }};
opened.onclose = (event) => {{ window.ended = (window.ended || "") + " " + event.code; }};
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    (block,) = (
        block
        for block in blocks_of(ROOT / "docs" / "coming-from" / "sanic.md")
        if block.attributes.get("title") == "clock.py"
    )
    file = tmp_path / "clock.py"
    # In a test nobody waits for three seconds.
    file.write_text(block.text.replace("random() * 3", "random() * 0.1"), encoding="utf-8")
    with LiveServer(runpy.run_path(str(file))["app"]) as server:
        yield server.url


def drive(steps: Callable[[Page], Awaitable[None]]) -> None:
    async def run() -> None:
        async with chromium() as page:
            await page.command("Page.enable")
            await steps(page)

    asyncio.run(run())


def test_it_ticks(url: str) -> None:
    async def steps(page: Page) -> None:
        await page.open(url)
        await page.until("document.querySelector('#time').textContent.startsWith('20')")
        first = await page.run("document.querySelector('#time').textContent")
        await page.until(f"document.querySelector('#time').textContent > {first!r}")

    drive(steps)


def test_a_page_of_the_same_site_may_open_it_and_close_it(url: str) -> None:
    async def steps(page: Page) -> None:
        await page.open(url)
        await page.run(OPEN.format(address=url.replace("http", "ws")))
        await page.until("window.ended === 'message 4000'")

    drive(steps)


def test_a_page_of_another_site_may_not(url: str) -> None:
    async def steps(page: Page) -> None:
        # The same machine by another name is another site.
        await page.open(url.replace("127.0.0.1", "localhost"))
        await page.run(OPEN.format(address=url.replace("http", "ws")))
        await page.until("window.ended === ' 1006'")

    drive(steps)
