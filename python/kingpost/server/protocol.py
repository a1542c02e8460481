"""The engine behind asyncio's own transports: the shell that runs on any event loop and any system.

It has no speed to win; it exists where the native driver cannot be (Windows, loops without `add_reader`) and proves
that the engine does not depend on it. Bytes come from the transport and go to the engine, and the other way round;
neither side is read while the other is full.

A transport keeps what its client does not take, for ever if need be, and closes only behind that; the engine takes it for
sent. So it is the shell that looks whether clients take anything, and drops those that do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any, cast

from kingpost import _native
from kingpost.server.listen import BACKLOG

if TYPE_CHECKING:
    from ssl import SSLContext

SHARE = 1024 * 1024
"""Bytes that one connection sends before others have their turn; its client may read as fast as it is written to."""


class EngineProtocol(asyncio.Protocol):
    """One connection of the engine on one transport."""

    def __init__(
        self, server: _native.Server, open_ones: set[EngineProtocol], write_timeout: float
    ) -> None:
        self._server = server
        self._open_ones = open_ones
        self._write_timeout = write_timeout
        self._transport: asyncio.Transport | None = None
        self._connection = -1
        self._full = False
        self._reading = True
        self._finished = False
        self._had_share = False
        self._written = 0
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        tls = transport.get_extra_info("ssl_object")
        protocol = None if tls is None else tls.selected_alpn_protocol()
        self._connection = self._server.open(
            _peer(transport),
            self._look,
            secure=tls is not None,
            protocol=protocol,
        )
        if not self._connection:
            # More than the engine takes; it has said so in the log.
            self._transport.abort()
            return
        self._open_ones.add(self)
        if protocol == "h2":
            # The engine speaks first.
            with _passing_exits():
                self._server.turn()

    def data_received(self, data: bytes) -> None:
        with _passing_exits():
            self._server.feed(self._connection, data)
        self._look()

    def eof_received(self) -> bool:
        with _passing_exits():
            self._server.feed_eof(self._connection)
        self._look()
        # The answer to what was sent before is still to go out. A transport of TLS ends by itself and says so where one asks.
        return self._transport is None or self._transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._stall is not None:
            self._stall.cancel()
        self._open_ones.discard(self)
        with _passing_exits():
            self._server.lost(self._connection)

    def abort(self) -> None:
        """Closes the connection without sending what is left."""
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._look()
        self._turn()

    def _turn(self) -> None:
        """Serves what waited for room: nothing else would tell the engine that there is some."""
        with _passing_exits():
            self._server.turn()

    def _look(self) -> None:
        """Moves what can be moved. The engine calls it when it has something new to say."""
        transport = self._transport
        if transport is None or self._had_share:
            return
        end = self._written + SHARE
        while not self._full and (data := self._server.output(self._connection)):
            transport.write(data)
            self._written += len(data)
            if self._written >= end:
                self._had_share = True
                asyncio.get_running_loop().call_soon(self._look_again)
                return
        if self._stall is None and transport.get_write_buffer_size():
            self._watch(transport)
        fate = self._server.fate(self._connection)
        if fate == "close" and not self._full:
            transport.close()
            return
        if fate == "finish" and not self._full and not self._finished:
            # What the client still sends is read, so that the last answer is not lost to a reset (RFC 9112 9.6).
            self._finished = True
            if transport.can_write_eof():
                # The client may have reset the connection, and nobody has looked yet.
                with contextlib.suppress(OSError):
                    transport.write_eof()
        wanted = self._server.wants_read(self._connection)
        if wanted != self._reading:
            self._reading = wanted
            (transport.resume_reading if wanted else transport.pause_reading)()

    def _look_again(self) -> None:
        self._had_share = False
        self._look()
        self._turn()

    def _watch(self, transport: asyncio.Transport) -> None:
        """Looks in a while whether the client has taken any of what waits for it."""
        self._stall = asyncio.get_running_loop().call_later(
            self._write_timeout, self._look_at_client, self._taken(transport)
        )

    def _taken(self, transport: asyncio.Transport) -> int:
        return self._written - transport.get_write_buffer_size()

    def _look_at_client(self, before: int) -> None:
        self._stall = None
        transport = self._transport
        if transport is None or not transport.get_write_buffer_size():
            return
        if self._taken(transport) == before:
            transport.abort()
        else:
            self._watch(transport)


class TransportShell:
    """Sockets by the loop's own means, for an engine that has none.

    Args:
        server: Made with `sockets=False`.
        write_timeout: Seconds that may pass without a client taking a byte of what waits for it.
        handshake_timeout: Seconds that a handshake of TLS may take.
    """

    def __init__(
        self, server: _native.Server, *, write_timeout: float, handshake_timeout: float = 10.0
    ) -> None:
        self._server = server
        self._handshake_timeout = handshake_timeout
        self._write_timeout = write_timeout
        self._listening: list[asyncio.Server] = []
        self._open: set[EngineProtocol] = set()

    async def listen(
        self, sockets: Iterable[socket.socket], *, tls: SSLContext | None = None
    ) -> None:
        """Accepts connections from listening sockets, which stay the caller's."""
        loop = asyncio.get_running_loop()
        for sock in sockets:
            # A copy: the loop closes what it is given.
            copy = sock.dup()
            self._listening.append(
                await loop.create_server(
                    lambda: EngineProtocol(self._server, self._open, self._write_timeout),
                    sock=copy,
                    backlog=BACKLOG,
                    ssl=tls,
                    ssl_handshake_timeout=None if tls is None else self._handshake_timeout,
                )
            )

    def unlisten(self) -> None:
        """Accepts no more."""
        for server in self._listening:
            server.close()

    async def close(self) -> None:
        """Closes every connection now."""
        self.unlisten()
        for protocol in tuple(self._open):
            protocol.abort()
        # Transports end in the turn after they were told to.
        await asyncio.sleep(0)


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
