"""The pages of the tutorial that are live, in a browser: the kitchen's, and the chat's."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.browser.chromium import PROGRAM, Page, chromium
from tests.docs.comparing import is_as_shown
from tests.docs.markdown import ROOT, blocks_of, files_after
from tests.faults.program import Program, running
from tests.needs import need
from tests.waiting import PATIENCE

TUTORIAL = ROOT / "docs" / "tutorial"

pytestmark = pytest.mark.browser

need(PROGRAM, "Chromium", remedy="apt-get install chromium")


def drive(folder: Path, steps: Callable[[Program, str], Awaitable[None]]) -> None:
    """Serves the shop of the last page, and does something with it."""
    for name, text in files_after(TUTORIAL / "11-a-chat.md").items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with running(folder, "run", "--port", "0") as program:
        program.until_said("is ready")
        asyncio.run(steps(program, f"http://127.0.0.1:{program.port}"))


def order(url: str, product: str, amount: int) -> None:
    asked = urllib.request.Request(  # noqa: S310 - our own server
        f"{url}/orders",
        json.dumps({"product": product, "amount": amount}).encode(),
        {"content-type": "application/json"},
    )
    urllib.request.urlopen(asked, timeout=PATIENCE).close()  # noqa: S310 - http, as given


def shown(product: str, amount: int) -> str:
    return f"{amount} \N{MULTIPLICATION SIGN} {product}"


def lines(*texts: str) -> str:
    return f"[...document.querySelectorAll('li')].map(li => li.textContent).join('|') === {'|'.join(texts)!r}"


def test_the_kitchen_sees_an_order_when_it_comes(tmp_path: Path) -> None:
    async def steps(_: Program, url: str) -> None:
        async with chromium() as page:
            await asyncio.to_thread(order, url, "cake", 2)
            await page.open(f"{url}/kitchen")
            await page.until(lines(shown("cake", 2)))
            for number in range(3):
                await asyncio.to_thread(order, url, "tea", number + 1)
                await page.until(
                    lines(shown("cake", 2), *[shown("tea", n + 1) for n in range(number + 1)])
                )

    drive(tmp_path, steps)


def test_the_kitchen_misses_none_of_the_orders_that_come_at_once(tmp_path: Path) -> None:
    async def steps(_: Program, url: str) -> None:
        async with chromium() as page:
            await page.open(f"{url}/kitchen")
            for number in range(1, 6):
                # Some come while the page is asked for again, and some while it is shown.
                await asyncio.gather(
                    *(asyncio.to_thread(order, url, "tea", each + 1) for each in range(8))
                )
                await page.until(f"document.querySelectorAll('li').length === {8 * number}")

    drive(tmp_path, steps)


def test_the_stream_is_as_the_page_shows_it(tmp_path: Path) -> None:
    first, second = (
        block.text.removeprefix("$ curl -N http://127.0.0.1:8000/kitchen/live\n")
        for block in blocks_of(TUTORIAL / "10-a-page-that-changes.md")
        if block.language == "text" and "id: " in block.text
    )

    async def steps(_: Program, url: str) -> None:
        with urllib.request.urlopen(f"{url}/kitchen/live", timeout=PATIENCE) as said:  # noqa: S310, ASYNC210 - our own server; nothing else is done meanwhile

            def as_many_lines_as(text: str) -> str:
                return "".join(said.readline().decode() for _ in text.splitlines())

            assert is_as_shown(without_numbers(first), as_many_lines_as(first))
            order(url, "tea", 1)
            assert is_as_shown(without_numbers(second), as_many_lines_as(second))

    drive(tmp_path, steps)


def without_numbers(text: str) -> str:
    """What the page shows, but for ids, which are others in each run."""
    return "\n".join("id: …" if line.startswith("id: ") else line for line in text.splitlines())


SAY = """
document.querySelector('[name=name]').value = {name!r};
document.querySelector('[name=text]').value = {text!r};
document.querySelector('button').click();
"""
IS_CONNECTED = "!document.querySelector('button').disabled"


async def say(page: Page, name: str, text: str) -> None:
    await page.until(IS_CONNECTED)
    await page.run(SAY.format(name=name, text=text))


def test_two_guests_hear_each_other_and_nobody_sends_a_program(tmp_path: Path) -> None:
    async def steps(_: Program, url: str) -> None:
        async with chromium() as ada, chromium() as bob:
            await ada.open(f"{url}/chat")
            await bob.open(f"{url}/chat")
            await bob.until(IS_CONNECTED)
            await say(ada, "Ada", "Are there nuts in <b>the cake</b>?")
            heard = "Ada: Are there nuts in <b>the cake</b>?"
            await bob.until(lines(heard))
            await say(bob, "Bob", "No.")
            await ada.until(lines(heard, "Bob: No."))
            # What the page would not send is told to who sends it, and to nobody else.
            await bob.run("socket.send('{}')")
            await bob.until(lines(heard, "Bob: No.", "2 values were refused"))
            await say(bob, "Bob", "Really.")
            await ada.until(lines(heard, "Bob: No.", "Bob: Really."))

    drive(tmp_path, steps)
