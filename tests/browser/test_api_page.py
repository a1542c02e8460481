"""The page of an API in a browser that reaches nothing but the App: it is whole, and what it sends is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from kingpost.testing import LiveServer
from tests.browser.chromium import PROGRAM, Page, chromium, press, write
from tests.needs import need
from tests.programs.test_programs import program

pytestmark = pytest.mark.browser

need(PROGRAM, "Chromium", remedy="apt-get install chromium")

PLACE = 'form.try[data-method="POST"][data-path="/orders/"]'
SHOW = 'form.try[data-method="GET"][data-path="/orders/{id}"]'


@pytest.fixture
def url() -> Iterator[str]:
    with LiveServer(program("api_docs")) as server:
        yield server.url.rstrip("/")


def drive(steps: Callable[[Page], Awaitable[None]]) -> None:
    async def run() -> None:
        # No name leads anywhere, "localhost" neither.
        async with chromium("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1") as page:
            await steps(page)

    asyncio.run(run())


async def unfold(page: Page, form: str) -> None:
    await page.run(f"document.querySelector({form!r}).closest('details').open = true")


async def send(page: Page, form: str) -> str:
    """What the form of an operation shows of the answer."""
    await page.run(f"document.querySelector({form!r} + ' output').replaceChildren()")
    await press(page, f"{form} button")
    await page.until(f"!!document.querySelector({form!r} + ' output .status')")
    return str(await page.run(f"document.querySelector({form!r} + ' output').innerText"))


def test_an_operation_is_tried_where_no_other_host_is_reached(url: str) -> None:
    async def steps(page: Page) -> None:
        refused = await page.command(
            "Page.navigate", url=f"{url.replace('127.0.0.1', 'localhost')}/docs"
        )
        assert refused["errorText"] == "net::ERR_NAME_NOT_RESOLVED"

        await page.open(f"{url}/docs")
        assert "Orders of a small shop." in await page.text()
        loaded = await page.run("performance.getEntriesByType('resource').map(each => each.name)")
        assert [each for each in loaded if not each.startswith(f"{url}/")] == []

        await unfold(page, PLACE)
        unknown = await send(page, PLACE)
        assert "401 Unauthorized" in unknown
        assert "say who you are" in unknown
        await write(page, "#authorization", "Bearer ada")
        # The body is the example that the page made.
        placed = await send(page, PLACE)
        assert "POST /orders/" in placed
        assert "201 Created" in placed
        assert "content-type: application/json" in placed
        assert '"item": "text"' in placed
        assert '"id": 1' in placed

        await unfold(page, SHOW)
        await write(page, f"{SHOW} [data-name=id]", "1")
        shown = await send(page, SHOW)
        assert "200 OK" in shown
        assert '"id": 1' in shown
        await write(page, f"{SHOW} [data-name=id]", "2")
        nothing = await send(page, SHOW)
        assert "GET /orders/2" in nothing
        assert "404 Not Found" in nothing
        assert "no order 2" in nothing

    drive(steps)
