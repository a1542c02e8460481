"""Requests of the test client by way of another server's interface, in this process: KINGPOST_TEST_HOST=asgi or wsgi.

The App's own tests run so, too: what holds on the native server holds on others, or is listed as what does not.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, MutableMapping
from http import HTTPStatus
from queue import SimpleQueue
from typing import Any, Final, Literal, Protocol, TypeAlias, cast, get_args
from urllib.parse import unquote, unquote_to_bytes

from kingpost.server.hosted.asgi import AsgiApplication
from kingpost.server.hosted.asgi_call import AnswerCutOff
from kingpost.server.hosted.wsgi import WsgiApplication
from kingpost.server.reply import BadReply, ReplyHead
from kingpost.testing.request import WireRequest

Interface: TypeAlias = Literal["native", "asgi", "wsgi"]
VARIABLE: Final = "KINGPOST_TEST_HOST"
# The address that requests come from.
PEER: Final = ("127.0.0.1", 50000)


def interface() -> Interface:
    """What the environment says.

    Raises:
        ValueError: it is no interface.
    """
    said = os.environ.get(VARIABLE) or "native"
    if said not in get_args(Interface):
        raise ValueError(f"{VARIABLE}={said!r}: it is native, asgi or wsgi")
    return cast("Interface", said)


# Turns of the loop in which a call hears that its client has left.
_TURNS: Final = 10
# Messages of an answer that wait for whoever reads it.
_KEPT: Final = 3


class AnyExchange(Protocol):
    """One request and its answer, whichever way it goes."""

    def send(self, data: bytes, request: WireRequest | None = None) -> None: ...
    async def head(self) -> ReplyHead: ...
    async def read(self) -> bytes: ...
    async def close(self) -> None: ...


class AnyTalkExchange(AnyExchange, Protocol):
    """A WebSocket, in frames."""

    async def feed(self, data: bytes) -> bool: ...


class HostedExchange:
    """What both interfaces have in common: a body that is fetched, and events of an answer that are waited for."""

    def __init__(self, what: str, timeout: float | None) -> None:
        self._what = what
        self._timeout = timeout
        self._events: asyncio.Queue[ReplyHead | bytes | BaseException] = asyncio.Queue()
        self._room = asyncio.Event()
        self._call: asyncio.Task[None] | None = None
        self._head: ReplyHead | None = None
        self._is_over = False

    async def head(self) -> ReplyHead:
        """The head of the answer.

        Raises:
            TimeoutError: nothing came in time.
            BadReply: the call ended without one.
        """
        while self._head is None:
            event = await self._next()
            if isinstance(event, bytes):
                raise BadReply("the connection was closed before the answer")
            self._head = event
        return self._head

    async def read(self) -> bytes:
        """The next bytes of the body; b"" at its end.

        Raises:
            TimeoutError: nothing came in time.
            BadReply: the answer was cut off.
        """
        if self._is_over:
            return b""
        event = await self._next()
        if not isinstance(event, bytes):
            raise BadReply("a second head")
        self._is_over = not event
        return event

    async def _next(self) -> ReplyHead | bytes:
        try:
            event = await asyncio.wait_for(self._events.get(), self._timeout)
        except TimeoutError:
            raise TimeoutError(
                f"no sign of an answer to {self._what} within {self._timeout:g} seconds"
            ) from None
        self._room.set()
        if isinstance(event, BaseException):
            raise event
        return event


class AsgiExchange(HostedExchange):
    """One call of an ASGI application."""

    def __init__(self, application: AsgiApplication, what: str, timeout: float | None) -> None:
        super().__init__(what, timeout)
        self._application = application
        self._pieces: AsyncIterator[tuple[bytes, bool]] | None = None
        self._gone = asyncio.Event()
        self._status = 0
        self._is_complete = False

    def send(self, data: bytes, request: WireRequest | None = None) -> None:
        """Calls the application."""
        if request is None:
            raise RuntimeError("raw bytes need the native engine: another server reads them itself")
        self._pieces = _pieces(request.body)
        self._call = asyncio.get_running_loop().create_task(self._run(scope_of(request, data)))

    async def close(self) -> None:
        """The client leaves; a call that has answered has ended then, any other ends when it has heard of it."""
        self._gone.set()
        self._room.set()
        if self._call is None:
            return
        if self._is_complete:
            await asyncio.wait([self._call])
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        if self._call.done() and not self._call.cancelled():
            self._call.exception()

    async def _run(self, scope: MutableMapping[str, Any]) -> None:
        try:
            await self._application(scope, self._receive, self._send)
        except AnswerCutOff as error:
            cut = BadReply("the connection was closed in the middle of the answer")
            cut.__cause__ = error
            self._events.put_nowait(cut)
        except Exception as error:  # noqa: BLE001 - raised where the answer is waited for
            self._events.put_nowait(error)
        else:
            if not self._is_complete:
                self._events.put_nowait(BadReply("the connection was closed before the answer"))

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._pieces is not None and not self._gone.is_set():
            async for body, more in self._pieces:
                if not more:
                    self._pieces = None
                return {"type": "http.request", "body": body, "more_body": more}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if self._gone.is_set():
            raise ConnectionResetError("the client has left")
        if message["type"] == "http.response.start":
            status: int = message["status"]
            fields = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message["headers"]
            ]
            self._events.put_nowait(ReplyHead(status, HTTPStatus(status).phrase, fields))
            return
        if message["type"] != "http.response.body":
            # What comes before the answer: early hints.
            return
        if message.get("body"):
            self._events.put_nowait(message["body"])
        if not message.get("more_body"):
            self._is_complete = True
            self._events.put_nowait(b"")
        await self._keep_few()

    async def _keep_few(self) -> None:
        # A host's transport has its turn here, and keeps so much.
        await asyncio.sleep(0)
        while self._events.qsize() > _KEPT and not self._gone.is_set():
            self._room.clear()
            await self._room.wait()


class Input:
    """A body that a thread reads while a loop sends it."""

    def __init__(self) -> None:
        self._pieces: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._rest = b""

    async def fill(self, body: bytes | Iterable[bytes] | AsyncIterable[bytes]) -> None:
        """Sends it."""
        try:
            async for piece, _ in _pieces(body):
                while self._pieces.qsize() > _KEPT:  # noqa: ASYNC110 - whoever takes them is a thread, and tells nobody
                    await asyncio.sleep(0.001)
                if piece:
                    self._pieces.put(piece)
        except Exception as error:
            self._pieces.put(error)
            raise
        finally:
            self._pieces.put(b"")

    def read(self, size: int = -1) -> bytes:
        """What has come, `size` bytes at most; b"" at the end."""
        if not self._rest:
            piece = self._pieces.get()
            if not isinstance(piece, bytes):
                raise piece
            if not piece:
                self._pieces.put(b"")
            self._rest = piece
        end = len(self._rest) if size < 0 else size
        taken, self._rest = self._rest[:end], self._rest[end:]
        return taken


class WsgiExchange(HostedExchange):
    """One call of a WSGI application, on a thread of its own."""

    def __init__(self, application: WsgiApplication, what: str, timeout: float | None) -> None:
        super().__init__(what, timeout)
        self._application = application
        self._loop = asyncio.get_running_loop()
        self._is_left = False
        self._is_complete = False

    def send(self, data: bytes, request: WireRequest | None = None) -> None:
        """Calls the application."""
        if request is None:
            raise RuntimeError("raw bytes need the native engine: another server reads them itself")
        self._call = self._loop.create_task(self._run(request, data))

    async def close(self) -> None:
        """The client leaves, which the call learns when it sends the next time."""
        self._is_left = True
        if self._call is not None and self._is_complete:
            await asyncio.wait([self._call])

    async def _run(self, request: WireRequest, data: bytes) -> None:
        try:
            source = Input()
            serving = asyncio.to_thread(self._serve, _environ_of(request, data, source))
            async with asyncio.TaskGroup() as both:
                sender = both.create_task(source.fill(request.body))
                await serving
                sender.cancel()
        except* AnswerCutOff as errors:
            cut = BadReply("the connection was closed in the middle of the answer")
            cut.__cause__ = errors
            self._events.put_nowait(cut)
        except* Exception as errors:  # noqa: BLE001 - raised where the answer is waited for
            self._events.put_nowait(errors.exceptions[0])

    def _serve(self, environ: dict[str, Any]) -> None:
        answer = self._application(environ, self._start)
        try:
            for piece in answer:
                if self._is_left:
                    return
                if piece:
                    self._tell(piece)
            self._is_complete = True
            self._tell(b"")
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()

    def _start(
        self, status: str, headers: list[tuple[str, str]], exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        del exc_info
        code, _, reason = status.partition(" ")
        self._tell(ReplyHead(int(code), reason, list(headers)))
        return self._tell

    def _tell(self, event: ReplyHead | bytes) -> None:
        self._loop.call_soon_threadsafe(self._events.put_nowait, event)


def _environ_of(request: WireRequest, data: bytes, source: Input) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "RAW_URI": request.target,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": PEER[0],
        "REMOTE_PORT": str(PEER[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": source,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for line in data.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        given, _, value = line.decode("latin-1").partition(":")
        name = given.upper().replace("-", "_")
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        # As CGI has it: one variable for all fields of a name (RFC 3875 section 4.1.18).
        joint = "; " if name == "COOKIE" else ", "
        environ[key] = f"{environ[key]}{joint}{value.strip()}" if key in environ else value.strip()
    return environ


def scope_of(request: WireRequest, data: bytes) -> dict[str, Any]:
    """What a host says of a request."""
    path, _, query = request.target.partition("?")
    lines = data.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    fields = [
        (name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path, errors="surrogateescape"),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": fields,
        "client": PEER,
        "server": ("localhost", 80),
        "extensions": {"http.response.early_hint": {}},
    }


async def _pieces(
    body: bytes | Iterable[bytes] | AsyncIterable[bytes],
) -> AsyncIterator[tuple[bytes, bool]]:
    if isinstance(body, bytes):
        yield body, False
        return
    if isinstance(body, AsyncIterable):
        async for piece in body:
            yield piece, True
    else:
        for piece in body:
            yield piece, True
            await asyncio.sleep(0)
    yield b"", False
