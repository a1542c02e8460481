"""The pages of the atlas in a browser, with scripts and without, light and dark, wide and narrow."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kingpost.testing import LiveServer
from tests.browser.chromium import PROGRAM, Page, chromium, enter, press, shows, write
from tests.needs import need
from tests.unit.openapi.corpus import atlas
from tests.waiting import PATIENCE
from tools import assets

pytestmark = pytest.mark.browser

need(PROGRAM, "Chromium", remedy="apt-get install chromium")
need(assets.are_there(), "htmx", remedy="python -m tools.assets")

PAGES = (
    "/",
    "/search?q=germ",
    "/subdivisions?country=CH",
    "/countries/CH",
    "/currencies/CHF/edit",
    "/corrections",
    "/countries/xx",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with LiveServer(atlas(tmp_path_factory.mktemp("atlas") / "atlas.db")) as server:
        yield server.url


def drive(steps: Callable[[Page], Awaitable[None]], *, scripts: bool = True) -> None:
    async def run() -> None:
        async with chromium() as page:
            await page.command("Emulation.setScriptExecutionDisabled", value=not scripts)
            await steps(page)

    asyncio.run(run())


async def listen(page: Page) -> None:
    """Have what a policy refuses, and what fails, kept."""
    await page.command("Page.enable")
    await page.command(
        "Page.addScriptToEvaluateOnNewDocument",
        source="window.refused = [];"
        "addEventListener('securitypolicyviolation', e => refused.push(e.blockedURI + ' ' + e.violatedDirective));"
        "addEventListener('error', e => refused.push(String(e.message || e.target.src)), true);",
    )


def test_searching_as_one_types_and_going_back(url: str) -> None:
    async def steps(page: Page) -> None:
        await page.open(f"{url}/countries")
        for word in ("swi", "switz"):
            await write(page, "[role=search] input", word)
            await page.until(f"location.search === '?q={word}'")
        await page.until(shows("Switzerland"))
        assert await page.run("document.querySelector('[role=search] input').value") == "switz"
        assert await page.run("document.title") == "Search – Atlas"
        # Back leads to where the search began.
        await page.run("history.back()")
        await page.until("location.pathname === '/countries'")
        await page.until(shows("249 in all"))

    drive(steps)


def test_searching_without_scripts(url: str) -> None:
    async def steps(page: Page) -> None:
        await page.open(f"{url}/countries")
        await write(page, "[role=search] input", "switz")
        await enter(page)
        await page.until("location.search === '?q=switz'")
        await page.until(shows("Switzerland"))

    drive(steps, scripts=False)


def test_a_list_goes_on_by_itself_and_follows_its_filter(url: str) -> None:
    async def steps(page: Page) -> None:
        await page.open(f"{url}/countries")
        rows = "document.querySelectorAll('tbody tr').length"
        assert await page.run(rows) == 51
        for _ in range(4):
            before = await page.run(rows)
            await page.run("document.querySelector('#more').scrollIntoView()")
            await page.until(f"{rows} > {before}")
        await page.until(f"{rows} === 249")
        await write(page, ".filters input", "guinea")
        await page.until(shows("4 in all"))
        assert await page.run("location.search.includes('q=guinea')")
        assert await page.run(rows) == 4

    drive(steps)


def test_a_list_is_paged_and_filtered_without_scripts(url: str) -> None:
    async def steps(page: Page) -> None:
        await page.open(f"{url}/countries")
        await press(page, "#more a")
        await page.until("location.search === '?page=2'")
        await page.until(shows("Page 3 of 5"))
        await page.open(f"{url}/subdivisions")
        await write(page, ".filters input", "zürich")
        await press(page, ".filters button")
        await page.until(shows("1 in all"))

    drive(steps, scripts=False)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_an_entry_is_corrected(url: str, scripts: bool) -> None:
    name = "Silver, a troy ounce" if scripts else "Silver"

    async def steps(page: Page) -> None:
        await page.open(f"{url}/currencies/XAG")
        await press(page, "#entry a[href$='/edit']")
        await page.until("!!document.querySelector('.edit')")
        assert await page.run("location.pathname.endsWith('/edit')") is not scripts
        await page.until("document.activeElement.name === 'name'")
        await write(page, ".edit input", " ")
        await write(page, ".edit input", "x" * 201)
        await press(page, ".edit button")
        await page.until(shows("must have 200 characters or fewer"))
        assert await page.run("document.querySelector('[aria-invalid]').value.length") == 201
        await write(page, ".edit input", name)
        await press(page, ".edit button")
        await page.until("!document.querySelector('.edit')")
        assert await page.run("document.querySelector('h1').innerText") == name
        if scripts:
            # Who has no mouse goes on where he was.
            await page.until("document.activeElement.innerText.trim() === 'Correct'")
        assert await page.run("location.pathname") == "/currencies/XAG"

    drive(steps, scripts=scripts)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_file_of_corrections_is_uploaded(url: str, scripts: bool, tmp_path: Path) -> None:
    async def choose(page: Page, content: str) -> None:
        (tmp_path / "corrections.csv").write_text(content, encoding="utf-8")
        await page.open(f"{url}/corrections")
        found = await page.command("DOM.getDocument")
        field = await page.command(
            "DOM.querySelector", nodeId=found["root"]["nodeId"], selector="input[type=file]"
        )
        await page.command(
            "DOM.setFileInputFiles",
            files=[str(tmp_path / "corrections.csv")],
            nodeId=field["nodeId"],
        )
        await press(page, ".edit button")

    async def steps(page: Page) -> None:
        await choose(page, "topic,code,name\nlanguages,nothing,x\n")
        await page.until(shows("Line 2: The languages of the atlas have no nothing."))
        await choose(page, f"topic,code,name\nlanguages,vol,Volapük {scripts}\n")
        await page.until(shows(f"Volapük {scripts}"))

    drive(steps, scripts=scripts)


def test_what_others_correct_is_shown_while_the_page_is_open(url: str) -> None:
    def correct(name: str) -> None:
        change = json.dumps({"name": name}).encode()
        request = urllib.request.Request(f"{url}/api/currencies/XAU", change, method="PATCH")  # noqa: S310 - our own
        request.add_header("content-type", "application/json")
        urllib.request.urlopen(request).close()  # noqa: S310 - the same

    async def steps(page: Page) -> None:
        await listen(page)
        await page.open(f"{url}/corrections")
        number = 0

        async def is_shown() -> bool:
            # The page may not listen yet.
            nonlocal number
            number += 1
            await asyncio.to_thread(correct, f"Gold {number}")
            return await page.text() != "" and "Gold 1 Gold 2" in await page.text()

        async with asyncio.timeout(PATIENCE):
            while not await is_shown():  # noqa: ASYNC110 - a browser tells nobody
                await asyncio.sleep(0.1)
        await page.until(shows(f"Gold {number}"))
        assert await page.run("window.refused") == []

    drive(steps)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_can_be_read(url: str, width: int, dark: bool) -> None:
    features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    seen: dict[str, Any] = {}

    async def steps(page: Page) -> None:
        await page.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        await page.command("Emulation.setEmulatedMedia", features=features)
        await listen(page)
        for path in PAGES:
            await page.open(url + path)
            assert await page.run("document.documentElement.scrollWidth <= innerWidth"), path
            assert await page.run("window.refused") == [], path
            assert await page.run("!!window.htmx"), path
            seen[path] = await page.run(FAINT)

    drive(steps)

    assert {path: faint for path, faint in seen.items() if faint} == {}


# The texts whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3), or 3 to 1 for large ones.
FAINT = """(() => {
  const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number); return .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b); };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; } return 'rgb(255, 255, 255)'; };
  const found = new Set();
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || e.matches('.skip, option, svg *')) continue;
    const style = getComputedStyle(e), a = light(style.color), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) found.add(e.tagName + ' ' + e.textContent.trim().slice(0, 20) + ' ' + ratio.toFixed(2));
  }
  return [...found];
})()"""


def test_the_keyboard_leads_past_the_navigation_and_shows_where_it_is(url: str) -> None:
    async def steps(page: Page) -> None:
        await page.open(url)
        await enter(page, "Tab", 9, "")
        focused = "document.activeElement"
        assert await page.run(f"{focused}.className") == "skip"
        assert await page.run(f"{focused}.getBoundingClientRect().width > 50")
        assert await page.run(f"parseFloat(getComputedStyle({focused}).outlineWidth) >= 3")
        await enter(page)
        await page.until("location.hash === '#main'")
        await enter(page, "Tab", 9, "")
        assert await page.run(f"!!{focused}.closest('.cards')")

    drive(steps)


def test_every_field_and_button_has_a_name(url: str) -> None:
    async def steps(page: Page) -> None:
        for path in PAGES:
            await page.open(url + path)
            tree = await page.command("Accessibility.getFullAXTree")
            nameless = [
                node["role"]["value"]
                for node in tree["nodes"]
                if node.get("role", {}).get("value")
                in ("button", "link", "textbox", "searchbox", "combobox")
                and not node.get("name", {}).get("value")
                and not node.get("ignored")
            ]
            assert nameless == [], path

    drive(steps)
