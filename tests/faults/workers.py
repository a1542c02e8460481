"""Four workers of a service, each asked by itself: connections that are known to be one worker's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from tests.waiting import PATIENCE

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

SPARE = 3
"""Connections to each worker: as many requests as it is asked at once."""


class Worker:
    """One of them.

    Attributes:
        process: its number.
    """

    def __init__(self, process: int) -> None:
        self.process = process
        self._idle: asyncio.Queue[Connection] = asyncio.Queue()

    def add(self, connection: Connection) -> int:
        """Keep another connection; how many there are."""
        self._idle.put_nowait(connection)
        return self._idle.qsize()

    async def ask(self, path: str, arguments: object = None) -> Any:
        """What a POST of JSON is answered, once a connection is free. One whose request is cancelled is closed."""
        connection = await self._idle.get()
        try:
            answer = await asked(connection, "POST", path, msgspec.json.encode(arguments))
        except BaseException:
            connection[1].close()
            raise
        self._idle.put_nowait(connection)
        return answer


@asynccontextmanager
async def workers(port: int, count: int) -> AsyncGenerator[Sequence[Worker]]:
    """So many workers of a service that tells, of GET /worker, the number of its process."""
    found: dict[int, Worker] = {}
    full: set[int] = set()
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(PATIENCE):
            while len(full) < count:
                connection = await asyncio.open_connection("127.0.0.1", port)
                stack.callback(connection[1].close)
                process = int(await asked(connection, "GET", "/worker"))
                if found.setdefault(process, Worker(process)).add(connection) >= SPARE:
                    full.add(process)
        assert len(found) == count
        yield [found[process] for process in sorted(found)]


async def asked(connection: Connection, method: str, path: str, body: bytes = b"") -> Any:
    """What an answer that is no stream says: a text, JSON, or nothing."""
    reader, writer = connection
    writer.write(
        f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
        + body
    )
    async with asyncio.timeout(PATIENCE):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:-1])
        content = await reader.readexactly(int(fields.get("content-length", 0)))
    assert head.split()[1] in ("200", "204"), (path, head, content)
    if not content:
        return None
    is_text = fields["content-type"].startswith("text/plain")
    return content.decode() if is_text else msgspec.json.decode(content)
