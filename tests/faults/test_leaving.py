"""A client that vanishes from a stream of events is noticed at once, over a real socket, in both kinds of handlers."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from kingpost import App, Event
from kingpost.testing import LiveServer
from tests.waiting import PATIENCE, until


@pytest.mark.parametrize("path", ["/async", "/def"])
@pytest.mark.parametrize("is_reset", [True, False])
def test_the_generator_is_closed_when_the_client_has_gone(path: str, is_reset: bool) -> None:
    closed = threading.Event()
    app = App()

    @app.get("/async")
    async def waits() -> AsyncIterator[Event[int]]:
        try:
            yield Event(1)
            # Nothing is ever sent: it is noticed by the connection alone.
            await asyncio.sleep(3600)
        finally:
            closed.set()

    @app.get("/def")
    def works() -> Iterator[Event[int]]:
        try:
            while True:
                yield Event(1)
                time.sleep(0.01)
        finally:
            closed.set()

    with LiveServer(app) as server:
        client = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        client.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        received = b""
        while b"data: 1\n" not in received:
            received += client.recv(4096)
        assert not closed.is_set()
        if is_reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        until(closed.is_set)
