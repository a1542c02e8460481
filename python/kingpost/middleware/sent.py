"""`WhenSent`: tells a function what became of each answer, when it is out.

Rule 1: told once for each request: when the last byte was given to the connection, or when the client has left. A WebSocket is answered when
it is accepted.
Rule 2: bytes are counted when the connection takes them, and it takes no more than it has room for (64 KiB). So what is told of an answer
that was cut off is what was sent, and no more than that was ahead of the client.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, TypeAlias, cast

from kingpost.http.before_body import before_body
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.injection.provider import kind_of
from kingpost.middleware.access_log import CLIENT_LEFT
from kingpost.middleware.decided import decided
from kingpost.middleware.refusal import refused
from kingpost.middleware.streams import Counter, Pieces, send_through
from kingpost.routing.around import CallNext

SWITCHED: Final = 101


class Sent(NamedTuple):
    """What became of an answer.

    Attributes:
        request: What was asked. Its body may be gone.
        status: Of the answer; 499 where the client left before there was one, 101 of a WebSocket.
        bytes: Of the body that the connection has taken, without what the transport adds; 0 for HEAD, 101, 204 and 304.
        is_complete: Whether that is all of it; False where the client has left, or making it has failed.
        seconds: From when the request came to this middleware until now.
    """

    request: Request
    status: int
    bytes: int
    is_complete: bool
    seconds: float


Callback: TypeAlias = Callable[[Sent], object]


@before_body
class WhenSent:
    """Calls a function with what became of each answer: `Sent(request, status, bytes, is_complete, seconds)`.

    List it first: what stands around it sees a stream in place of a whole body. An `async def` runs on the event loop, a `def` on a thread;
    both behind the answer, and waited for when the server stops. What it raises is logged and reported. Of a WebSocket it is told when that is
    accepted; what is said in it is not counted.

    Args:
        callback: What is called.

    Raises:
        ConfigurationError: `when-sent.bad-callback`.

    Example:
        `app.middleware(WhenSent(count_traffic))`
    """

    def __init__(self, callback: Callback) -> None:
        # Who calls without a checker may give anything.
        if not callable(cast("object", callback)):
            raise refused(
                "when-sent.bad-callback",
                f"{callback!r} cannot be called",
                "give a function that takes what was sent: def f(sent: Sent) -> None",
            )
        self._callback = callback
        self._is_async = kind_of(callback) == "async"

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        count = Counting(request, self._tell)
        socket = request.websocket
        if socket is not None:
            socket.on_accept(count.accepted)
        try:
            response = await decided(request, await call_next(request))
        except asyncio.CancelledError:
            if not count.is_accepted:
                count.status = CLIENT_LEFT
                count.over(whole=False)
            raise
        if count.is_accepted:
            return response
        count.status = response.status
        if request.method == "HEAD" or response.status in (204, 304):
            count.over(whole=True)
            return response
        whole = response.body if response.file is None else response.file
        if whole is not None:
            pieces = Pieces(whole)
            response.chunks, count.length = pieces, pieces.length
        send_through(response, count, keeps_length=True)
        return response

    def _tell(self, sent: Sent) -> None:
        task = asyncio.get_running_loop().create_task(self._call(sent), name="kingpost when sent")
        sent.request.dispatch.follow(task)

    async def _call(self, sent: Sent) -> None:
        try:
            if self._is_async:
                await cast("Awaitable[object]", self._callback(sent))
            else:
                await asyncio.to_thread(self._callback, sent)
        except Exception as error:  # noqa: BLE001 - it is told, and nobody waits for this
            sent.request.dispatch.report_background((self._callback, (sent,), {}), error)


class Counting(Counter):
    """The bytes of one answer, counted as they leave.

    Attributes:
        status: of the answer.
        is_accepted: it is a WebSocket, and was told of.
        length: bytes that there are; None where only the end tells. A client that has all of them may leave before the end is reached.
    """

    def __init__(self, request: Request, tell: Callable[[Sent], None]) -> None:
        super().__init__()
        self._request = request
        self._tell = tell
        self._start = time.perf_counter()
        # Who reads a stream of a `def` may be on another thread.
        self._loop = asyncio.get_running_loop()
        self.status = 200
        self.length: int | None = None
        self.is_accepted = False

    def accepted(self) -> None:
        """The request has become a WebSocket: that is its answer, and all there will be."""
        self.is_accepted = True
        self.status = SWITCHED
        self.over(whole=True)

    def over(self, *, whole: bool) -> None:
        seconds = time.perf_counter() - self._start
        is_complete = whole or self.size == self.length
        sent = Sent(self._request, self.status, self.size, is_complete, seconds)
        self._loop.call_soon_threadsafe(self._tell, sent)
