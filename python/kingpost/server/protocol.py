"""The engine behind asyncio's own transports: the shell that runs on any event loop and any system.

It has no speed to win; it exists where the native driver cannot be (Windows, loops without `add_reader`) and proves
that the engine does not depend on it. Bytes come from the transport and go to the engine, and the other way round;
neither side is read while the other is full.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from typing import Any, cast

from kingpost import _native

# Seconds between the last byte of an answer and the moment when a client that keeps sending is cut off (RFC 9112 9.6).
_LINGER = 2.0


class EngineProtocol(asyncio.Protocol):
    """One connection of the engine on one transport."""

    def __init__(self, server: _native.Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._connection = -1
        self._full = False
        self._reading = True
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connection = self._server.open(_peer(transport), self._look)

    def data_received(self, data: bytes) -> None:
        # What comes after the last answer is read and dropped, so that the answer is not lost to a reset.
        if not self._closing:
            with _passing_exits():
                self._server.feed(self._connection, data)
            self._look()

    def eof_received(self) -> bool:
        if self._closing:
            return False
        with _passing_exits():
            self._server.feed_eof(self._connection)
        self._look()
        # The answer to what was sent before is still to go out.
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        with _passing_exits():
            self._server.lost(self._connection)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._look()

    def _look(self) -> None:
        """Moves what can be moved. The engine calls it when it has something new to say."""
        transport = self._transport
        if transport is None or self._closing:
            return
        while not self._full and (data := self._server.output(self._connection)):
            transport.write(data)
        if self._server.is_closing(self._connection) and not self._full:
            self._close(transport)
            return
        wanted = self._server.wants_read(self._connection)
        if wanted != self._reading:
            self._reading = wanted
            (transport.resume_reading if wanted else transport.pause_reading)()

    def _close(self, transport: asyncio.Transport) -> None:
        self._closing = True
        if not transport.can_write_eof():
            transport.close()
            return
        if not self._reading:
            transport.resume_reading()
        transport.write_eof()
        asyncio.get_running_loop().call_later(_LINGER, transport.close)


@contextlib.contextmanager
def _passing_exits() -> Generator[None]:
    """Lets what ends programs, raised by a handler, out of the loop: uvloop keeps what protocols raise."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        asyncio.get_running_loop().call_soon(_raise, error)


def _raise(error: BaseException) -> None:
    raise error


def _peer(transport: asyncio.BaseTransport) -> tuple[str, int] | None:
    name: Any = transport.get_extra_info("peername")
    # A Unix socket's is text, often empty.
    return None if not name or isinstance(name, str) else (str(name[0]), int(name[1]))
