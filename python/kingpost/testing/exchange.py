"""One request and its answer on one connection of the engine, without a socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable

from kingpost import _native
from kingpost.server.reply import ReplyHead, ReplyReader
from kingpost.testing.request import WireRequest

# The address that requests come from.
PEER = ("127.0.0.1", 50000)
# Bytes that are handed to the engine at a time, so that it can say that it is full.
_PIECE = 65536


class Exchange:
    """Sends while it reads, as a client with a socket would.

    Args:
        server: An engine without sockets.
        method: Of the request.
        what: What to say in errors, such as "GET /".
        timeout: Seconds without a sign of life before TimeoutError; None waits for ever.
        talks: Whether what follows a 101 is read as a body without end.
    """

    def __init__(
        self,
        server: _native.Server,
        method: str,
        what: str,
        timeout: float | None,
        *,
        talks: bool = False,
    ) -> None:
        self._server = server
        self._what = what
        self._timeout = timeout
        self._news = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None
        self._reader = ReplyReader(method, talks=talks)
        self._body: list[bytes] = []
        self._connection = self._server.open(PEER, self._news.set)
        self._open = True

    def send(self, data: bytes, request: WireRequest | None = None) -> None:
        """Sends `data`, then the body of `request`, while the answer is read."""
        self._sender = asyncio.get_running_loop().create_task(self._send(data, request))

    def finish(self) -> None:
        """Says that nothing follows."""
        self._server.feed_eof(self._connection)

    async def head(self) -> ReplyHead:
        """The head of the final answer.

        Raises:
            TimeoutError: nothing came in time.
            BadReply: the connection ended first.
        """
        while self._reader.head is None:
            await self._more()
        return self._reader.head

    async def read(self) -> bytes:
        """The next bytes of the body; b"" at its end.

        Raises:
            TimeoutError: nothing came in time.
            BadReply: the connection ended in the middle.
        """
        while True:
            data = b"".join(self._body)
            self._body.clear()
            if data or self._reader.done:
                return data
            await self._more()

    async def close(self) -> None:
        """Ends the connection; an answer that is not complete is cut off, as by a client that goes away.

        Raises:
            Exception: whatever the request's own body raised, if it was given as an iterable.
        """
        if not self._open:
            return
        self._open = False
        self._server.lost(self._connection)
        sender, self._sender = self._sender, None
        if sender is None:
            return
        if not sender.done():
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender
        elif not sender.cancelled() and (error := sender.exception()) is not None:
            raise error

    async def _more(self) -> None:
        """Takes what has arrived, after waiting for something to arrive."""
        if self._take():
            return
        if (
            self._sender is not None
            and self._sender.done()
            and self._sender.exception() is not None
        ):
            await self.close()
        # A debugger's prompt may stop the loop for minutes; then the news and the time-out come at once, and news count.
        if not await _happens(self._news, self._timeout) and not self._take():
            raise TimeoutError(
                f"no sign of an answer to {self._what} within {self._timeout:g} seconds"
            )

    def _take(self) -> bool:
        """Reads what has arrived; False when that is nothing."""
        self._news.clear()
        data = self._server.output(self._connection)
        if data:
            self._body.append(self._reader.feed(data))
            # There is room again, and a stream may wait for it: nothing else would tell the engine. Not from here: this task is no handler.
            asyncio.get_running_loop().call_soon(self._server.turn)
        elif self._server.fate(self._connection) != "open":
            self._reader.end()
        else:
            return False
        return True

    async def _send(self, data: bytes, request: WireRequest | None) -> None:
        await self.feed(data)
        if request is None:
            return
        body = request.body
        if isinstance(body, bytes):
            await self.feed(body)
            return
        async for piece in _pieces(body):
            if piece and not await self.feed(b"%x\r\n%b\r\n" % (len(piece), piece)):
                return
        await self.feed(b"0\r\n\r\n")

    async def feed(self, data: bytes) -> bool:
        """Hands bytes to the engine as fast as it takes them; False when it takes no more."""
        for start in range(0, len(data), _PIECE):
            while not self._server.wants_read(self._connection):
                if self._server.fate(self._connection) != "open":
                    return False
                # The reading side waits for the same news, so it is asked again shortly.
                await asyncio.sleep(0.001)
            if self._server.fate(self._connection) != "open":
                return False
            self._server.feed(self._connection, data[start : start + _PIECE])
        return True


async def _happens(event: asyncio.Event, patience: float | None) -> bool:
    """Waits for the event, for `patience` seconds at most; whether it was the event that came."""
    if patience is None:
        await event.wait()
        return True
    expired = False

    def expire() -> None:
        nonlocal expired
        expired = True
        event.set()

    timer = asyncio.get_running_loop().call_later(patience, expire)
    try:
        await event.wait()
    finally:
        timer.cancel()
    return not expired


async def _pieces(body: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(body, AsyncIterable):
        async for piece in body:
            yield piece
        return
    for piece in body:
        yield piece
        # Lets the answer begin while more is being made.
        await asyncio.sleep(0)
