"""One request on its way through ASGI middleware: what the middleware is given as `receive` and `send`.

Rule 1: messages are judged by the ASGI specification (HTTP & WebSocket, version 2.4); one that comes out of order is refused where it is sent.
Rule 2: a chunk of a stream is taken before the next but one is made: whoever sends waits for whoever reads.
Rule 3: when the client has left, `receive` says so, `send` raises `ClientLeft`, and what waits for anything else is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Self, TypeAlias

from kingpost.errors import BadRequest
from kingpost.http.headers import SERVERS_OWN, ResponseHeaders
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.sse import EVENT_STREAM
from kingpost.http.stream import Chunks as BodyChunks
from kingpost.routing.around import CallNext

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

GONE: Final = "the client has left"


class ClientLeft(OSError):
    """Raised by `send` when nobody reads the answer any more, as the specification asks for."""


class Exchange:
    """One request, one run of the middleware.

    Args:
        request: what was asked.
        call_next: what lies inside of the middleware.
        middleware: its class, for messages.

    Attributes:
        failure: what the application raises behind its answer; None where that was meant for the client.
        stream: the body that is read as it comes; None where it is complete.
        idle: what an event stream sends while nothing happens, as its chunks say it.
    """

    def __init__(
        self, request: Request, call_next: CallNext, middleware: Callable[..., object]
    ) -> None:
        self.request = request
        self.call_next = call_next
        self.stream: BodyChunks | None = request.unread
        self.failure: Exception | None = None
        self.idle: tuple[float, bytes] | None = None
        self._middleware = middleware
        self._task: asyncio.Task[None] | None = None
        self._news: list[asyncio.Future[None]] = []
        self._head: tuple[Response[Any], int | None] | None = None
        self._is_begun = False
        self._is_whole = False
        self._is_complete = False
        self._has_left = False
        self._chunk: bytes | None = None
        self._waiting = 0
        self._body_is_read = False

    # -- for the route

    async def answer(self, task: asyncio.Task[None]) -> Response[Any]:
        """The answer of the middleware that runs as `task`.

        Raises:
            Exception: what the middleware has raised in place of an answer.
            RuntimeError: it has ended without one.
        """
        self._task = task
        task.add_done_callback(self._ended)
        try:
            while not self._is_begun and not task.done():
                await self._change()
            # It is not on its way yet: whoever sees the exception may answer in its place.
            while self.failure is not None and self._is_complete and not task.done():
                await self._change()
        except asyncio.CancelledError:
            await self.leave()
            raise
        if not self._is_begun:
            raised = error_of(task)
            if raised is not None:
                raise raised
            raise RuntimeError("the ASGI middleware has ended without an answer")
        if self.failure is not None and task.done() and error_of(task) is None:
            # The middleware has dealt with it.
            self.request.__fail__(None)
        return self._response()

    def _response(self) -> Response[Any]:
        assert self._head is not None  # noqa: S101 - for the type checkers: it is begun
        response, length = self._head
        if self._is_whole:
            response.body = self._chunk or b""
            self._chunk = None
            self._follow()
        else:
            headers = response.headers
            is_events = headers.get("content-type", "").partition(";")[0] == EVENT_STREAM
            is_plain = is_events and "content-encoding" not in headers
            response.chunks = Chunks(self, length, self.idle if is_plain else None)
        return response

    async def take(self) -> bytes | None:
        """The next chunk; None at the end.

        Raises:
            Exception: what the middleware, or the route inside of it, has raised in the middle.
        """
        task = self._running
        while True:
            if self._chunk is not None:
                chunk, self._chunk = self._chunk, None
                self._tell()
                return chunk
            if self._is_complete:
                self._follow()
                return None
            if task.done():
                raise error_of(task) or RuntimeError(
                    "the ASGI middleware has ended in the middle of its answer"
                )
            await self._change()

    async def leave(self) -> None:
        """Nobody reads the answer any more: returns when the middleware has ended."""
        if self._has_left or (self._is_complete and self._chunk is None):
            return
        self._has_left = True
        task = self._running
        if task.done():
            return
        if not self._waiting:
            task.cancel()
        self._tell()
        await asyncio.wait((task,))

    def _follow(self) -> None:
        """The answer is complete, and the middleware may still be at work: it is waited for at a stop."""
        if not self._running.done():
            self.request.dispatch.follow(self._running)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tell()
        error = error_of(task)
        if error is None or self._has_left or not self._is_complete:
            return
        if self.failure is None or not comes_of(error, self.failure):
            self.request.dispatch.report_background((self._middleware, (), {}), error)

    @property
    def _running(self) -> asyncio.Task[None]:
        assert self._task is not None  # noqa: S101 - for the type checkers: it runs from the first line of `answer` on
        return self._task

    # -- for the middleware

    async def receive(self) -> Message:
        """A part of the body; behind its end, when the answer is complete or the client has left, `http.disconnect`."""
        if not self._body_is_read:
            if self.stream is None:
                self._body_is_read = True
                return {"type": "http.request", "body": self.request.body, "more_body": False}
            chunk = await self.stream.chunk()
            self._body_is_read = not chunk
            return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}
        while not (self._has_left or self._is_complete):
            await self._change()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Takes a part of the answer; returns when the next one is wanted.

        Raises:
            ClientLeft: nobody reads it any more.
            RuntimeError: the message does not come in its turn.
            ValueError: it is none that the specification knows, its status is not final, or a field cannot be sent safely.
        """
        kind = message["type"]
        if self._has_left:
            raise ClientLeft(GONE)
        if kind == "http.response.start":
            self._start(message)
        elif kind == "http.response.body":
            await self._add(
                bytes(message.get("body", b"")), more=bool(message.get("more_body", False))
            )
        else:
            raise ValueError(
                f"the message {kind!r} is none that is understood here; the scope names no extension for it"
            )

    def _start(self, message: Message) -> None:
        if self._head is not None and not (
            self.failure is not None and self._is_complete and self._is_whole
        ):
            raise RuntimeError("http.response.start was sent already")
        headers, length = ResponseHeaders(), None
        for name, value in message.get("headers", ()):
            field, text = bytes(name).decode("latin-1"), bytes(value).decode("latin-1")
            if field.lower() == "content-length" and text.isdecimal():
                length = int(text)
            if field.lower() not in SERVERS_OWN:
                headers.add(field, text)
        self._head = (Response(None, status=int(message["status"]), headers=headers), length)
        # It may stand in place of the answer to an exception.
        self._is_begun = self._is_whole = self._is_complete = False
        self._chunk = None

    async def _add(self, body: bytes, *, more: bool) -> None:
        if self._head is None or self._is_complete:
            order = "before http.response.start" if self._head is None else "behind the end"
            raise RuntimeError(f"http.response.body was sent {order}")
        if not self._is_begun and not more:
            self._chunk, self._is_whole = body, True
        elif body:
            self._waiting += 1
            try:
                while self._chunk is not None and not self._has_left:
                    await self._change()
            finally:
                self._waiting -= 1
            if self._has_left:
                raise ClientLeft(GONE)
            self._chunk = body
        self._is_begun = True
        self._is_complete = not more
        self._tell()

    # -- waiting

    async def _change(self) -> None:
        """Returns when anything has changed."""
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._news.append(news)
        await news

    def _tell(self) -> None:
        told, self._news = self._news, []
        for news in told:
            if not news.done():
                news.set_result(None)


class Chunks:
    """The stream that the middleware sends.

    Args:
        exchange: where it is sent.
        length: bytes that the middleware has declared; None where it has not.
        idle: what is sent while nothing happens.
    """

    def __init__(
        self, exchange: Exchange, length: int | None, idle: tuple[float, bytes] | None
    ) -> None:
        self._exchange = exchange
        self.length = length
        self.idle = idle

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._exchange.take()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Ends it before its end."""
        await self._exchange.leave()


class Received:
    """A body that is read as a stream, as the application inside of the middleware receives it.

    Attributes:
        length: bytes that the client has declared; None where it has not.
    """

    def __init__(self, length: int | None, receive: Receive) -> None:
        self.length = length
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._is_over = False

    async def chunk(self) -> bytes:
        """The next bytes on the event loop; `b""` at the end.

        Raises:
            BadRequest: the client has left in the middle.
        """
        while not self._is_over:
            message = await self._receive()
            if message["type"] != "http.request":
                raise BadRequest("the client has left before its body was complete")
            self._is_over = not message.get("more_body", False)
            body = bytes(message.get("body", b""))
            if body:
                return body
        return b""

    def chunk_blocking(self) -> bytes:
        """The same from a worker thread."""
        return asyncio.run_coroutine_threadsafe(self.chunk(), self._loop).result()


def error_of(task: asyncio.Task[None]) -> BaseException | None:
    """What a task that is done has raised; None for one that was cancelled, as by a client that leaves."""
    return None if task.cancelled() else task.exception()


def comes_of(error: BaseException, cause: BaseException) -> bool:
    """Whether an exception is another one, wraps it, or was raised while that was dealt with."""
    if error is cause or error.__cause__ is cause or error.__context__ is cause:
        return True
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return any(comes_of(each, cause) for each in inner)
