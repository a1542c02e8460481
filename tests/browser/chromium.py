"""A Chromium without a window, told what to do by its DevTools protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from tests.waiting import PATIENCE, until_async

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

# htmx begins by a timer, which may be due after the page is complete, and takes up what it swaps in after that is shown. A
# form or link that it has not taken up yet is sent or followed as without scripts.
_IS_THERE = (
    "document.readyState === 'complete' && (!window.htmx || [...document.querySelectorAll('[hx-get], [hx-post]')]"
    ".every(each => each.hasAttribute('data-htmx-powered')))"
)


class RefusedError(Exception):
    """A command that the browser did not carry out, such as a script that fails, or whose page just went."""


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._count = 0

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._count += 1
        number = self._count
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            said = json.loads((await self._socket.receive(PATIENCE)).data)
            if said.get("id") == number:
                if "error" in said:
                    raise RefusedError(f"{method}: {said['error']['message']}")
                found: dict[str, Any] = said["result"]
                return found

    async def open(self, url: str) -> None:
        opened = await self.command("Page.navigate", url=url)
        assert "errorText" not in opened, f"{url}: {opened['errorText']}"
        # The answer comes before the page does, and the page before it, which is complete, would say that it is there.
        await _until(lambda: self._is_of(opened["loaderId"]))
        await self.until("true")

    async def _is_of(self, loader: str) -> bool:
        """Whether the page is what was loaded so: each time that one is opened is another."""
        try:
            tree = await self.command("Page.getFrameTree")
        except RefusedError:  # between two pages
            return False
        return bool(tree["frameTree"]["frame"]["loaderId"] == loader)

    async def run(self, script: str) -> Any:
        """The value of a script.

        Raises:
            RefusedError: the script failed, or its page went while it ran.
        """
        found = await self.command("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in found:
            raise RefusedError(f"{script}: {found['result'].get('description')}")
        return found["result"].get("value")

    async def text(self) -> str:
        return " ".join(str(await self.run("document.body.innerText")).split())

    async def until(self, script: str) -> None:
        """Waits until a page is there whole, heeds what is done in it, and a script of it is true."""
        await _until(lambda: self._holds(f"{_IS_THERE} && ({script})"))

    async def _holds(self, script: str) -> bool:
        try:
            return await self.run(script) is True
        except RefusedError:  # the page that was asked has gone: the next one answers
            return False


def shows(text: str) -> str:
    """Whether a page shows this, as a script for `Page.until`."""
    return f"document.body.innerText.includes({text!r})"


async def press(page: Page, selector: str) -> None:
    """Press a link or button, as who has no mouse does, as soon as it is there."""
    await page.until(f"!!document.querySelector({selector!r})")
    await page.run(f"document.querySelector({selector!r}).focus()")
    await enter(page)


async def write(page: Page, selector: str, text: str) -> None:
    """Type into a field, in place of what it has, as soon as it is there."""
    await page.until(f"!!document.querySelector({selector!r})")
    await page.run(f"(e => {{ e.focus(); e.select(); }})(document.querySelector({selector!r}))")
    await page.command("Input.insertText", text=text)


async def enter(page: Page, key: str = "Enter", code: int = 13, text: str = "\r") -> None:
    pressed = {"key": key, "windowsVirtualKeyCode": code, "text": text}
    await page.command("Input.dispatchKeyEvent", type="keyDown", **pressed)
    with contextlib.suppress(RefusedError):  # the page may have gone with the first half
        await page.command("Input.dispatchKeyEvent", type="keyUp", **pressed)


@contextlib.asynccontextmanager
async def chromium(*options: str) -> AsyncGenerator[Page]:
    """A tab of a browser of its own.

    Args:
        options: of the command line, besides those that every test needs.
    """
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-port=0",
            "--remote-allow-origins=*",
            f"--user-data-dir={profile}",
            *options,
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            said = Path(profile) / "DevToolsActivePort"

            def has_said() -> bool:
                assert process.returncode is None, f"the browser ended: {process.returncode}"
                return said.is_file() and "\n" in said.read_text(encoding="utf-8")

            await until_async(has_said)
            port = said.read_text(encoding="utf-8").split()[0]
            async with aiohttp.ClientSession() as session:
                tabs: list[str] = []

                async def has_tab() -> bool:
                    # The port is open before the tab is.
                    tabs.extend(await _tabs(session, port))
                    return bool(tabs)

                await _until(has_tab)
                async with session.ws_connect(tabs[0], max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), PATIENCE)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _until(look: Callable[[], Awaitable[bool]]) -> None:
    """Looks again and again: a browser tells nobody."""
    async with asyncio.timeout(PATIENCE):
        while not await look():  # noqa: ASYNC110 - as it says
            await asyncio.sleep(0.02)


async def _tabs(session: aiohttp.ClientSession, port: str) -> list[str]:
    """Where each tab is told what to do."""
    async with session.get(f"http://127.0.0.1:{port}/json") as answer:
        tabs = await answer.json()
    return [tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"]
