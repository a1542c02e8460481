"""One request of an ASGI host: fed to the engine, run in the host's task, and read back.

The host's task feeds the request, runs what the engine leaves to it, and sends the answer. Two more tasks exist only where they
are needed: a reader, once something waits (it fetches the body and hears of a client that leaves), and a writer, while the host's
task is inside a handler that streams.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from contextvars import Context
from typing import Any, ClassVar, Final, TypeAlias

from kingpost import _native
from kingpost.server.hosted.head import BodyFrame, Head, target_of
from kingpost.server.hosted.problem import problem
from kingpost.server.hosted.task import run_here
from kingpost.server.reply import ReplyHead, ReplyReader
from kingpost.server.streaming import Exchange

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

SMALL: Final = 65_536
"""Bytes of a body that are waited for and fed together with their head."""
OF_HOST: Final = frozenset({"connection", "date", "keep-alive", "transfer-encoding"})
"""What the host says itself: of its own connection (RFC 9110 section 7.6.1), and of its own clock."""


class AnswerCutOff(Exception):
    """An answer that has begun cannot be finished; the host ends its connection, so that nobody takes it for whole."""


class AsgiCall:
    """One request: what the engine calls a caller.

    Attributes:
        context: What the request starts in, for what does not run in the host's task: `def` handlers.
        scheme: "http" or "https".
        http_version: What the client speaks with the host.
        root_path: Where the application is mounted, percent-decoded, without a slash at the end.
        run: None: `def` handlers run on the engine's threads.
        more: None: the body comes by itself.
        answers: What the messages of an answer are called.
    """

    answers: ClassVar = "http.response"
    run = None
    more = None

    def __init__(self, server: _native.Server, scope: Scope, receive: Receive, send: Send) -> None:
        self.context: Context = contextvars.copy_context()
        self.scheme: str = scope.get("scheme") or "http"
        self.http_version: str = scope.get("http_version") or "1.1"
        self.root_path: str = (scope.get("root_path") or "").rstrip("/")
        self._scope = scope
        self._receive = receive
        self._send = send
        self._server = server
        self._connection = 0
        self._task = asyncio.current_task()
        self._news = asyncio.Event()
        # As the news, for the reader: the host's task clears its own.
        self._room = asyncio.Event()
        self._adopted: deque[tuple[Exchange, Coroutine[Any, Any, object]]] = deque()
        self._frame: BodyFrame | None = None
        self._reply = ReplyReader(scope["method"])
        self._told = 0
        self._idle = 0
        self._taken = b""
        self._is_begun = False
        self._is_away = False
        self._is_left = False
        self._is_broken = False
        self._is_cancelled = False
        self._failure: BaseException | None = None
        self._reader: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    # -- what the engine asks of a caller, within a batch

    def adopt(self, exchange: Exchange, coroutine: Coroutine[Any, Any, object]) -> AsgiCall:
        """Has a coroutine run in the host's task."""
        self._adopted.append((exchange, coroutine))
        self._news.set()
        return self

    def cancel(self, msg: object = None) -> bool:
        """The client has left."""
        del msg
        if self._is_away and not self._is_cancelled and self._task is not None:
            self._is_cancelled = True
            self._task.cancel()
        self._news.set()
        return True

    # -- what the handler's coroutine tells

    def on_wait(self) -> None:
        """From now on somebody else must listen to the client."""
        self._is_away = True
        if self._reader is None:
            self._reader = self._start(self._read())

    def on_cancel(self) -> None:
        """The handler ends with a cancellation; where it was the host's, the engine must know that nobody waits."""
        if self._task is not None and self._task.cancelling() and not self._is_cancelled:
            # So that the engine, which is told now, does not cancel once more.
            self._is_cancelled = True
            self._leave()
            self._server.poll()
            self._is_cancelled = False

    # -- the host's task

    async def serve(self) -> None:
        """From the request to the last byte of its answer.

        Raises:
            AnswerCutOff: it failed when it had begun.
            CancelledError: the host has cancelled its task.
        """
        self._connection = self._server.open(_client_of(self._scope), self._look, self)
        try:
            if await self._begin():
                await self._go_on()
            if self._is_broken and not self._is_begun:
                await self._refuse()
        finally:
            self._is_left = True
            self._server.lost(self._connection)
            for task in (self._reader, self._writer):
                if task is not None:
                    await end_task(task)
            self._drop_adopted()
        if isinstance(self._failure, Exception) and not isinstance(self._failure, OSError):
            raise self._failure

    async def _begin(self) -> bool:
        """Feeds the head; together with a small body, which spares it a turn. False: there is nothing to answer."""
        scope = self._scope
        first: Message | None = None
        if self.http_version.startswith(("2", "3")) and not _is_framed(scope):
            # There the end of a stream ends a body, and nothing before it says whether there is one.
            first = await self._receive()
            if first["type"] == "http.disconnect":
                return False
        has_body = first is not None and bool(first.get("body") or first.get("more_body"))
        head = head_of(scope, self.root_path, chunked=has_body)
        data = head.data
        if head.is_chunked or head.length:
            frame = self._frame = BodyFrame(None if head.is_chunked else head.length)
            is_small = not head.is_chunked and (head.length or 0) <= SMALL
            while first is not None or (is_small and not head.expects and not frame.is_over):
                message = await self._receive() if first is None else first
                first = None
                if message["type"] == "http.disconnect":
                    return False
                framed = _framed(frame, message)
                if framed is None:
                    self._is_broken = True
                    return False
                data += framed
        self._server.feed_at_once(self._connection, data)
        return True

    async def _go_on(self) -> None:
        while not self._is_left:
            self._news.clear()
            if self._adopted:
                await self._run(*self._adopted.popleft())
            elif await self._flush():
                return
            elif not self._adopted:
                if self._reader is None:
                    self._reader = self._start(self._read())
                await self._news.wait()

    async def _run(self, exchange: Exchange, coroutine: Coroutine[Any, Any, object]) -> None:
        try:
            cancelled = await run_here(exchange, coroutine, self)
        finally:
            self._is_away = False
        if self._is_cancelled:
            # It was us, because the client has left: nobody else is to hear of it.
            self._is_left = True
            if self._task is not None:
                self._task.uncancel()
        elif cancelled is not None and self._task is not None and self._task.cancelling():
            raise cancelled
        if self._writer is not None:
            await self._writer

    async def _flush(self) -> bool:
        """Sends what the engine has to say; True where that was the end."""
        reply = self._reply
        while data := self._taken or self._server.output(self._connection):
            self._taken = b""
            body = reply.feed(data)
            await self._hint()
            head = reply.head
            if head is None:
                continue
            if not self._is_begun:
                self._is_begun = True
                await self._answer(head)
            if body or reply.done:
                await self._answer_on(body)
            if reply.done:
                return True
            # There is room again, and a stream may wait for it: nothing else would tell the engine.
            asyncio.get_running_loop().call_soon(self._server.turn)
        if reply.done or self._is_left or self._is_broken:
            return True
        if self._server.fate(self._connection) == "open":
            return False
        raise AnswerCutOff(
            "the answer has ended before its end; the log of the application says why"
        )

    async def _answer(self, head: ReplyHead) -> None:
        """Sends the beginning of an answer."""
        await self._send(
            {
                "type": f"{self.answers}.start",
                "status": head.status,
                "headers": fields_of(head),
            }
        )

    async def _answer_on(self, body: bytes) -> None:
        """Sends more of it."""
        more = not self._reply.done
        await self._send({"type": f"{self.answers}.body", "body": body, "more_body": more})

    async def _hint(self) -> None:
        """Passes early hints on, where the host can."""
        interim = self._reply.interim
        while self._told < len(interim):
            links = [
                value.encode("latin-1")
                for name, value in interim[self._told].fields
                if name == "link"
            ]
            self._told += 1
            if links and "http.response.early_hint" in (self._scope.get("extensions") or {}):
                await self._send({"type": "http.response.early_hint", "links": links})

    async def _refuse(self) -> None:
        is_long = self._frame is not None and self._frame.is_long
        code = "http.bad-content-length" if is_long else "http.incomplete-request"
        fields, body = problem(
            400, code, "the body has another length than its content-length says"
        )
        headers = [(name.encode(), value.encode()) for name, value in fields]
        await self._send({"type": "http.response.start", "status": 400, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    def _drop_adopted(self) -> None:
        """What was never begun is told to be over."""
        while self._adopted:
            exchange, coroutine = self._adopted.popleft()
            coroutine.close()
            following = exchange.raised(asyncio.CancelledError())
            if following is not None:
                following.close()

    # -- beside it

    def _look(self) -> None:
        """The engine has something to say."""
        self._news.set()
        self._room.set()
        if self._is_away and (self._writer is None or self._writer.done()) and not self._is_left:
            self._taken = self._taken or self._server.output(self._connection)
            if self._taken:
                self._writer = self._start(self._write())

    async def _write(self) -> None:
        """Sends while the host's task is inside a handler."""
        try:
            await self._flush()
        except AnswerCutOff:
            # The host's task finds it, too, and says so.
            pass
        except Exception as error:  # noqa: BLE001 - raised again in the host's task
            self._failure = error
            self._leave()

    async def _read(self) -> None:
        """Fetches the body as fast as the engine takes it, and then waits for the client to leave."""
        try:
            while await self._read_once():
                pass
        except Exception as error:  # noqa: BLE001 - raised again in the host's task
            self._failure = error
            self._leave()

    async def _read_once(self) -> bool:
        frame = self._frame
        is_expected = frame is not None and not frame.is_over
        while is_expected and not self._server.wants_read(self._connection):
            if self._server.fate(self._connection) != "open":
                return False
            self._room.clear()
            await self._room.wait()
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self._leave()
            return False
        if frame is None or not is_expected:
            # The empty body of a request that has none comes once; a host that repeats it is not listened to.
            self._idle += 1
            return self._idle == 1
        framed = _framed(frame, message)
        if framed is None:
            self._is_broken = True
            self._leave()
            return False
        if framed:
            self._server.feed_at_once(self._connection, framed)
        return True

    def _leave(self) -> None:
        """Nobody waits for an answer any more."""
        self._is_left = True
        self._server.lost(self._connection)
        self._news.set()

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(coroutine)


async def end_task(task: asyncio.Task[None]) -> None:
    """Cancels a task and waits for its end, which raises nothing."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


def _is_framed(scope: Scope) -> bool:
    return any(
        name.lower() in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"]
    )


def _framed(frame: BodyFrame, message: Message) -> bytes | None:
    return frame.write(message.get("body") or b"", is_last=not message.get("more_body"))


def _client_of(scope: Scope) -> tuple[str, int] | None:
    client = scope.get("client")
    return (str(client[0]), int(client[1] or 0)) if client else None


def head_of(scope: Scope, root: str, *, chunked: bool = False, also: Iterable[bytes] = ()) -> Head:
    """The head of a request as its scope says it."""
    path: str = scope["path"]
    server = scope.get("server") or ("localhost", None)
    name = f"{server[0]}:{server[1]}" if server[1] else "localhost"
    target = target_of(
        path.encode("utf-8", "surrogateescape"),
        scope.get("raw_path"),
        scope.get("query_string") or b"",
        root,
    )
    return Head(
        scope["method"],
        target,
        scope["headers"],
        server=name,
        chunked=chunked,
        also=also,
    )


def fields_of(head: ReplyHead) -> list[tuple[bytes, bytes]]:
    """What is the application's to say."""
    return [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in head.fields
        if name not in OF_HOST
    ]
