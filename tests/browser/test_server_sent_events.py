"""The how-to about server-sent events does in a browser what it says."""

from __future__ import annotations

import asyncio
import runpy
import urllib.request
from pathlib import Path
from urllib.parse import quote

import pytest

from kingpost import App
from kingpost.testing import LiveServer
from tests.browser.chromium import PROGRAM, chromium
from tests.docs.markdown import blocks_of
from tests.needs import need
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.browser

need(PROGRAM, "Chromium", remedy="apt-get install chromium")


def news_program(folder: Path) -> Path:
    page = ROOT / "docs" / "howto" / "server-sent-events.md"
    (block,) = [each for each in blocks_of(page) if each.attributes.get("title") == "news.py"]
    program = folder / "news.py"
    program.write_text(block.text, encoding="utf-8")
    return program


FEED = """
from itertools import count
from kingpost import App, Event, EventStream, Html, Request
from kingpost.feeds import Feed
from kingpost.http import last_event_id

news = Feed("news", str, replay=1)
app = App(plugins=[news])


async def few(after):
    number = count()
    async for each in news.events(after):
        yield each
        # The head and one event: then the browser is cut off, and has to come back.
        if next(number) == 1:
            return


@app.get("/")
def home() -> Html:
    return Html(PAGE)


@app.get("/news")
async def follow(request: Request) -> EventStream[str]:
    return EventStream(few(last_event_id(request)))


@app.post("/news")
async def add(text: str) -> str:
    return news.add(text)
"""


def post(url: str, text: str) -> None:
    asked = urllib.request.Request(f"{url}/news?text={quote(text)}", method="POST")  # noqa: S310 - our own server
    urllib.request.urlopen(asked, timeout=PATIENCE).close()  # noqa: S310 - http, as given


def items(*texts: str) -> str:
    return f"[...document.querySelectorAll('li')].map(li => li.textContent).join('|') === {'|'.join(texts)!r}"


CONNECTED = "document.querySelector('#state').textContent === 'connected'"


def test_a_page_shows_what_happens_and_after_a_restart_what_it_has_missed(tmp_path: Path) -> None:
    program = str(news_program(tmp_path))

    def served(*news: str, port: int = 0) -> LiveServer:
        names = runpy.run_path(program)
        names["NEWS"].extend(news)
        return LiveServer(names["app"], port=port)

    async def main() -> None:
        async with chromium() as page:
            with served() as first:
                await page.open(first.url)
                await page.until(CONNECTED)
                await page.until(items("Doors are open"))
                await asyncio.to_thread(post, first.url, "First goal: 1 < 2")
                await page.until(items("Doors are open", "First goal: 1 < 2"))
            # The stream has ended, and the browser comes back with the id of what it saw last.
            await page.until(f"!({CONNECTED})")
            with served("First goal: 1 < 2", "Half-time", port=first.port):
                await page.until(items("Doors are open", "First goal: 1 < 2", "Half-time"))

    asyncio.run(main())


def test_a_page_that_is_cut_off_after_every_event_sees_each_of_them_once(tmp_path: Path) -> None:
    page_text = runpy.run_path(str(news_program(tmp_path)))["PAGE"]
    names = {"PAGE": page_text, "__name__": "feed"}
    exec(FEED, names)  # noqa: S102 - the program above
    app = names["app"]
    assert isinstance(app, App)

    async def main() -> None:
        async with chromium() as page:
            with LiveServer(app) as server:
                await asyncio.to_thread(post, server.url, "one")
                await page.open(server.url)
                await page.until(items("one"))
                for text in ("two", "three", "four"):
                    await asyncio.to_thread(post, server.url, text)
                await page.until(items("one", "two", "three", "four"))

    asyncio.run(main())
