"""The files that the pages have for nginx, HAProxy and Caddy, in front of an application: who asks, WebSockets, events."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.docs.markdown import ROOT, blocks_of
from tests.faults.program import running
from tests.needs import need
from tests.waiting import PATIENCE

SITE = "shop.example.org"
UPSTREAM = "/run/shop/shop.sock"
APP = """
import asyncio
from collections.abc import AsyncIterator

from kingpost import App, Event, Request, WebSocket
from kingpost.middleware import TrustedProxies

app = App(hosts=["shop.example.org"], middleware=[TrustedProxies(["unix"])])
GO_ON = asyncio.Event()


@app.get("/")
async def home(request: Request) -> dict[str, str | None]:
    return {"client": request.client, "scheme": request.scheme, "host": request.host}


@app.websocket("/echo")
async def echo(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message)


@app.get("/events")
async def events() -> AsyncIterator[Event[str]]:
    yield Event("first")
    await GO_ON.wait()
    yield Event("second")


@app.post("/go-on")
async def go_on() -> None:
    GO_ON.set()
"""

NGINX = """
{user} daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    include {folder}/shop.conf;
}}
"""


def file_of(page: str, title: str) -> str:
    """A file that a page shows."""
    blocks = blocks_of(ROOT / "docs" / "howto" / page)
    (text,) = [block.text for block in blocks if block.attributes.get("title") == title]
    assert UPSTREAM in text
    return text


def program(name: str) -> str:
    return need(shutil.which(name), name, remedy=f"apt-get install {name}, brew install {name}")


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def nginx(folder: Path, port: int) -> Sequence[str | Path]:
    text = file_of("deploy.md", "shop.conf")
    (folder / "shop.conf").write_text(
        replaced(text, "listen 80;", f"listen 127.0.0.1:{port};").replace(
            UPSTREAM, f"{folder}/shop.sock"
        )
    )
    # Started by root it gives itself to somebody who may not look into a test's folder.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    return program("nginx"), "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"


def haproxy(folder: Path, port: int) -> Sequence[str | Path]:
    text = file_of("proxies.md", "haproxy.cfg").replace(UPSTREAM, f"{folder}/shop.sock")
    (folder / "haproxy.cfg").write_text(replaced(text, "bind :80", f"bind 127.0.0.1:{port}"))
    return program("haproxy"), "-db", "-f", folder / "haproxy.cfg"


def caddy(folder: Path, port: int) -> Sequence[str | Path]:
    text = file_of("proxies.md", "Caddyfile").replace(UPSTREAM, f"{folder}/shop.sock")
    # By a name with a scheme it fetches no certificate.
    text = replaced(text, f"{SITE} {{", f"http://{SITE}:{port} {{")
    (folder / "Caddyfile").write_text("{\n    admin off\n    auto_https off\n}\n" + text)
    return program("caddy"), "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"


Proxy = Callable[[Path, int], Sequence[str | Path]]


@asynccontextmanager
async def site(folder: Path, proxy: Proxy) -> AsyncGenerator[aiohttp.ClientSession]:
    """A client of the site through the proxy, which is started again on another port where its own was taken meanwhile."""
    (folder / "app.py").write_text(APP)
    arguments = ("--uds", "shop.sock", "--uds-mode", "666")
    with running(folder, "run", "app.py", *arguments) as application:
        application.until_said("is ready")
        async with asyncio.timeout(PATIENCE):
            while True:
                with socket.create_server(("127.0.0.1", 0)) as taken:
                    port = int(taken.getsockname()[1])
                with started(proxy(folder, port), folder) as process:
                    client = aiohttp.ClientSession(
                        f"http://127.0.0.1:{port}", headers={"host": SITE}
                    )
                    async with client:
                        if await is_up(client, process):
                            yield client
                            return
                said = (folder / "proxy.log").read_text()
                assert "in use" in said, said


@contextmanager
def started(command: Sequence[str | Path], folder: Path) -> Any:
    with (folder / "proxy.log").open("w") as log:
        home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        process = subprocess.Popen(  # noqa: S603 - a proxy, as it was found
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **home}
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


async def is_up(client: aiohttp.ClientSession, process: subprocess.Popen[bytes]) -> bool:
    """Waits until the application answers through the proxy, or the proxy has ended."""
    while process.poll() is None:
        with suppress(aiohttp.ClientError):
            async with client.get("/") as answer:
                if answer.status == 200:
                    return True
        await asyncio.sleep(0.05)
    return False


PROXIES = pytest.mark.parametrize(
    "proxy", [nginx, haproxy, caddy], ids=lambda proxy: proxy.__name__
)


@PROXIES
def test_who_asks_what_was_typed_websockets_and_events_come_through(
    proxy: Proxy, tmp_path: Path
) -> None:
    async def test() -> None:
        async with site(tmp_path, proxy) as client:
            claimed = {"x-forwarded-for": "198.51.100.66", "x-forwarded-proto": "https"}
            async with client.get("/", headers=claimed) as answer:
                told = await answer.json()
            assert told == {"client": "127.0.0.1", "scheme": "http", "host": SITE}

            async with client.ws_connect("/echo", origin=f"http://{SITE}") as ws:
                await ws.send_str("hello")
                assert await ws.receive_str() == "hello"

            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await client.ws_connect("/echo", origin="http://evil.example.com")

            async with client.get("/events") as stream:
                assert await stream.content.readuntil(b"\n\n") == b"data: first\n\n"
                async with client.post("/go-on") as answer:
                    assert answer.status == 204
                assert await stream.content.readuntil(b"\n\n") == b"data: second\n\n"

    asyncio.run(test())
