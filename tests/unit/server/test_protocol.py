"""The shell on asyncio's transports, against transports that behave badly."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import pytest

from kingpost.server.protocol import SHARE, EngineProtocol


class EndingServer:
    """An engine that has `data` to say and then ends its connection."""

    def __init__(self, fate: str, data: bytes = b"") -> None:
        self._fate = fate
        self._data = data

    def open(
        self, client: object, notify: object, *, secure: bool = False, protocol: str | None = None
    ) -> int:
        return 1

    def feed(self, connection: int, data: bytes) -> None:
        """Nothing is asked of it."""

    def output(self, connection: int) -> bytes:
        data, self._data = self._data, b""
        return data

    def turn(self) -> None:
        """Nothing waits for room."""

    def fate(self, connection: int) -> str:
        return self._fate

    def wants_read(self, connection: int) -> bool:
        return True


class BadTransport:
    """A transport whose client has left without anybody having looked, or does not read."""

    def __init__(self, *, takes: int = 0) -> None:
        self.log: list[str] = []
        self.waiting = 0
        self._takes = takes

    def get_extra_info(self, name: str) -> None:
        return None

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.log.append("eof")
        raise OSError(107, "Transport endpoint is not connected")

    def write(self, data: bytes) -> None:
        self.waiting += len(data)

    def get_write_buffer_size(self) -> int:
        self.waiting = max(0, self.waiting - self._takes)
        return self.waiting

    def close(self) -> None:
        self.log.append("close")

    def abort(self) -> None:
        self.log.append("abort")


def connected(
    server: EndingServer, transport: BadTransport, write_timeout: float = 0.01
) -> EngineProtocol:
    protocol = EngineProtocol(cast("Any", server), set(), write_timeout)
    protocol.connection_made(cast("asyncio.Transport", transport))
    return protocol


def test_an_end_that_cannot_be_said_any_more_is_no_error() -> None:
    transport = BadTransport()
    connected(EndingServer("finish"), transport).data_received(b"x")
    assert transport.log == ["eof"]


@pytest.mark.parametrize("fate", ["open", "close"])
def test_a_client_that_takes_nothing_is_dropped(fate: str) -> None:
    async def main() -> list[str]:
        transport = BadTransport()
        connected(EndingServer(fate, b"x" * 100), transport).data_received(b"x")
        await asyncio.sleep(0.05)
        return transport.log

    assert asyncio.run(main())[-1] == "abort"


def test_a_client_that_takes_its_time_is_not_dropped() -> None:
    async def main() -> list[str]:
        transport = BadTransport(takes=10)
        connected(EndingServer("open", b"x" * 100), transport).data_received(b"x")
        await asyncio.sleep(0.1)
        return transport.log

    assert asyncio.run(main()) == []


class FullServer(EndingServer):
    """An engine with a stream that waits for room."""

    def __init__(self) -> None:
        super().__init__("open", b"first")
        self.turns = 0

    def turn(self) -> None:
        self.turns += 1


def test_a_stream_that_waits_for_room_is_told_when_the_client_has_read() -> None:
    async def main() -> int:
        server, transport = FullServer(), BadTransport()
        protocol = EngineProtocol(cast("Any", server), set(), write_timeout=60)
        protocol.connection_made(cast("Any", transport))
        protocol.pause_writing()
        protocol.resume_writing()
        return server.turns

    assert asyncio.run(main()) == 1


def test_a_client_that_reads_as_fast_as_it_is_written_to_has_its_share_of_a_turn() -> None:
    class Endless(EndingServer):
        said = 0

        def output(self, connection: int) -> bytes:
            self.said += 100_000
            return bytes(100_000) if self.said <= 10 * SHARE else b""

    async def main() -> list[int]:
        server, transport = Endless("open"), BadTransport(takes=20 * SHARE)
        protocol = connected(server, transport)
        protocol.data_received(b"x")
        seen = [server.said]
        while server.said <= 10 * SHARE:
            # Other news of the same connection earn nothing.
            protocol.data_received(b"x")
            await asyncio.sleep(0)
            seen.append(server.said)
        return seen

    seen = asyncio.run(main())
    assert len(seen) >= 10
    assert all(after - before <= SHARE + 100_000 for before, after in pairwise(seen))
