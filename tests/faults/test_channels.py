"""Channels over four real workers: what is published in one of them reaches all who listen in any, once and in order."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.faults.program import Program, running
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

WORKERS = 4
CLIENTS = 100
APP = """
import os
from kingpost import App, WebSocket
from kingpost.channels import Channels

app = App(plugins=[Channels()])

@app.websocket("/news")
async def news(ws: WebSocket, channels: Channels) -> None:
    async with channels.join("news", ws):
        await ws.send(str(os.getpid()))
        async for message in ws:
            await channels.publish("news", message)
"""


async def listeners(
    session: aiohttp.ClientSession, program: Program
) -> list[tuple[str, aiohttp.ClientWebSocketResponse]]:
    """Those who listen, each with its worker: many, and some in every worker."""
    found: list[tuple[str, aiohttp.ClientWebSocketResponse]] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < CLIENTS or len({worker for worker, _ in found}) < WORKERS:
            ws = await session.ws_connect(f"http://127.0.0.1:{program.port}/news")
            found.append((await ws.receive_str(), ws))
    return found


def test_each_of_many_in_four_workers_hears_everything_once_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)

    async def test(program: Program) -> None:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True)
        ) as session:
            clients = await listeners(session, program)
            speakers = list(dict(clients).values())
            assert len(speakers) == WORKERS
            for number in range(20):
                for speaker, ws in enumerate(speakers):
                    await ws.send_str(f"{speaker} {number}")
            async with asyncio.timeout(PATIENCE):
                for _, ws in clients:
                    heard = [await ws.receive_str() for _ in range(20 * WORKERS)]
                    for speaker in range(WORKERS):
                        own = [each for each in heard if each.startswith(f"{speaker} ")]
                        assert own == [f"{speaker} {number}" for number in range(20)]
            await speakers[0].send_str("end")
            async with asyncio.timeout(PATIENCE):
                # And nothing else: what comes next is the last.
                assert {await ws.receive_str() for _, ws in clients} == {"end"}

    with running(tmp_path, "run", "--port", "0", "--workers", str(WORKERS)) as program:
        program.until_said(r"ready on http://127.0.0.1:\d+")
        asyncio.run(test(program))
