"""A Chromium without a window, told what to do by its DevTools protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
PATIENCE = 20.0


class RefusedError(Exception):
    """A command that the browser did not carry out, such as a script in a page that just went."""


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
        await self.command("Page.navigate", url=url)
        await self.until("true")

    async def run(self, script: str) -> Any:
        """The value of a script."""
        found = await self.command("Runtime.evaluate", expression=script, returnByValue=True)
        return found["result"].get("value")

    async def text(self) -> str:
        return " ".join(str(await self.run("document.body.innerText")).split())

    async def until(self, script: str) -> None:
        """Waits until a page is there whole and a script of it is true."""
        async with asyncio.timeout(PATIENCE):
            while not await self._holds(  # noqa: ASYNC110 - a page tells nobody
                f"document.readyState === 'complete' && ({script})"
            ):
                await asyncio.sleep(0.02)

    async def _holds(self, script: str) -> bool:
        try:
            return await self.run(script) is True
        except RefusedError:  # the page that was asked has gone: the next one answers
            return False


async def press(page: Page, selector: str) -> None:
    """Press a link or button, as who has no mouse does."""
    await page.run(f"document.querySelector({selector!r}).focus()")
    await enter(page)


async def write(page: Page, selector: str, text: str) -> None:
    """Type into a field, in place of what it has."""
    await page.run(f"(e => {{ e.focus(); e.select(); }})(document.querySelector({selector!r}))")
    await page.command("Input.insertText", text=text)


async def enter(page: Page, key: str = "Enter", code: int = 13, text: str = "\r") -> None:
    for kind in ("keyDown", "keyUp"):
        await page.command(
            "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, text=text
        )


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
            async with asyncio.timeout(PATIENCE):
                while (  # noqa: ASYNC110 - nor does a file
                    not said.is_file() or not said.read_text(encoding="utf-8").count("\n")
                ):
                    await asyncio.sleep(0.02)
            port = said.read_text(encoding="utf-8").split()[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    tabs = [tab for tab in await answer.json() if tab["type"] == "page"]
                async with session.ws_connect(
                    tabs[0]["webSocketDebuggerUrl"], max_msg_size=0
                ) as socket:
                    yield Page(socket)
        finally:
            process.terminate()
            await process.wait()
