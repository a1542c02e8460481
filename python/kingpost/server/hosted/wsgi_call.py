"""One request of a WSGI host: fed to the engine on the background loop, its `def` steps run on the host's thread, and read back.

The host's thread waits for what happens: a job to run, chunks to make, output to hand on. It fetches the body, too, when the
engine wants more of it; nothing reads `wsgi.input` but this thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextvars import Context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from kingpost.server import streaming
from kingpost.server.engine import Engine
from kingpost.server.hosted.asgi_call import OF_HOST, AnswerCutOff
from kingpost.server.hosted.background import Background
from kingpost.server.hosted.caller import Cancellable, Chunks
from kingpost.server.hosted.head import BodyFrame, Head, target_of
from kingpost.server.hosted.problem import problem
from kingpost.server.reply import ReplyHead, ReplyReader
from kingpost.server.streaming import Exchange

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Bytes of a body that are read at a time.
_PIECE: Final = 65_536
_CONTENT: Final = {"CONTENT_LENGTH": b"content-length", "CONTENT_TYPE": b"content-type"}


class WsgiCall:
    """One request: what the engine calls a caller.

    Attributes:
        context: What the request runs in copies of.
        scheme: "http" or "https".
        http_version: What the client speaks with the host.
        root_path: Where the application is mounted, percent-decoded, without a slash at the end.
    """

    def __init__(self, background: Background, engine: Engine, environ: WSGIEnvironment) -> None:
        self.context: Context = background.context()
        self.scheme: str = environ.get("wsgi.url_scheme") or "http"
        self.http_version: str = (environ.get("SERVER_PROTOCOL") or "HTTP/1.1").partition("/")[2]
        root: str = environ.get("SCRIPT_NAME") or ""
        self.root_path: str = root.encode("latin-1").decode("utf-8", "replace").rstrip("/")
        self._background = background
        self._server = engine.server
        self._lend = engine.threads.lend
        self._environ = environ
        self._input: Any = environ.get("wsgi.input")
        self._thread = threading.get_ident()
        self._events: SimpleQueue[Callable[[], None] | BaseException | None] = SimpleQueue()
        self._connection = 0
        self._frame: BodyFrame | None = None
        self._reply = ReplyReader(environ["REQUEST_METHOD"])
        self._chunks: Chunks | None = None
        self._is_over = False

        background.calls.add(self)

    def end(self) -> None:
        """The application was stopped: nobody will answer any more."""
        self._events.put(AnswerCutOff("the application was stopped"))

    # -- what the engine asks of a caller

    def run(self, job: Callable[[], None]) -> None:
        """Takes a `def` handler for the host's thread."""
        self._events.put(job)

    def more(self) -> None:
        """The handler, on the host's thread, waits for more of the body."""
        if threading.get_ident() == self._thread:
            self._fetch()

    def stream(self, chunks: Chunks) -> None:
        """Takes the chunks of an answer whose handler has just run on the host's thread."""
        self._chunks = chunks

    def adopt(self, exchange: Exchange, coroutine: Coroutine[Any, Any, object]) -> Cancellable:
        """Runs a coroutine on the loop; the host's thread has none."""
        driven = streaming.drive(exchange, coroutine)
        return self._background.loop.create_task(driven, context=self.context.copy())

    # -- the host's thread

    def answer(self, start_response: StartResponse) -> Iterable[bytes]:
        """From the request to the head of its answer, and what its body is read from."""
        head = self._head()
        if head.is_chunked and not self._environ.get("wsgi.input_terminated"):
            # A server that does not end its input would let us wait for ever.
            fields, body = problem(
                411, "http.bad-content-length", "this server needs a content-length"
            )
            start_response("411 Length Required", fields)
            self.close()
            return [body]
        if head.upgrade == b"websocket" and self._background.serves("WEBSOCKET", head.path):
            fields, body = problem(501, "not-implemented", "this server does not speak WebSocket")
            start_response("501 Not Implemented", fields)
            self.close()
            return [body]
        data = head.data
        if head.is_chunked or head.length:
            self._frame = BodyFrame(None if head.is_chunked else head.length)
            if not head.is_chunked and not head.expects and (head.length or 0) <= _PIECE:
                framed = self._framed()
                if framed is None:
                    self.close()
                    return self._refuse(start_response)
                data += framed
        self._background.call(self._begin, data)
        try:
            found = self._until_head()
        except BaseException:
            self.close()
            raise
        if found is None:
            self.close()
            return self._refuse(start_response)
        reply, body = found
        start_response(f"{reply.status} {reply.reason}", _fields_of(reply))
        if self._reply.done:
            self.close()
            return [body] if body else []
        return Body(self, body)

    def next_piece(self) -> bytes:
        """The next bytes of the answer; b"" at its end.

        Raises:
            AnswerCutOff: it has failed.
        """
        while True:
            is_over = self._reply.done
            piece = b"" if is_over else self._taken()
            if is_over or piece:
                return piece
            if self._chunks is not None:
                self._lend(self._step)
            elif self._reply.done:
                continue
            elif self._server.fate(self._connection) != "open":
                raise AnswerCutOff(
                    "the answer has ended before its end; the log of the application says why"
                )
            else:
                self._wait()
                if self._wants_body():
                    self._fetch()

    def close(self) -> None:
        """The answer was handed on, or nobody wants the rest of it."""
        if self._is_over:
            return
        self._is_over = True
        self._background.calls.discard(self)
        chunks, self._chunks = self._chunks, None
        if chunks is not None:
            self._lend(chunks.close)
        self._background.call(self._server.lost, self._connection)

    def _until_head(self) -> tuple[ReplyHead, bytes] | None:
        """The head, and what has come of the body with it; None where the request is none."""
        while True:
            body = self._taken()
            if self._reply.head is not None:
                return self._reply.head, body
            if self._connection and self._server.fate(self._connection) != "open":
                raise AnswerCutOff("there is no answer; the log of the application says why")
            self._wait()
            if self._wants_body() and not self._fetch():
                return None

    def _wait(self) -> None:
        event = self._events.get()
        if isinstance(event, BaseException):
            raise event
        if event is not None:
            self._lend(event)

    def _step(self) -> None:
        if self._chunks is not None and not self._chunks.step():
            self._chunks = None

    def _taken(self) -> bytes:
        """What the engine has to say of the body."""
        if not self._connection:
            return b""
        data = self._server.output(self._connection)
        if not data:
            return b""
        body = self._reply.feed(data)
        if not self._reply.done:
            # There is room again, and a stream may wait for it: nothing else would tell the engine.
            self._background.call(self._server.turn)
        return body

    # -- the body of the request

    def _wants_body(self) -> bool:
        return (
            self._frame is not None
            and not self._frame.is_over
            and bool(self._connection)
            and self._events.empty()
            and self._server.wants_read(self._connection)
        )

    def _fetch(self) -> bool:
        """Reads some more of the body; False where it is not what its head says."""
        if self._frame is None or self._frame.is_over:
            return True
        framed = self._framed()
        if framed is None:
            self._background.call(self._server.feed_eof, self._connection)
            return False
        self._background.call(self._feed, framed)
        return True

    def _framed(self) -> bytes | None:
        frame = self._frame
        if frame is None:
            return b""
        pieces: list[bytes] = []
        while not frame.is_over:
            # Never more than there is: a server that does not end its input would wait for ever.
            size = _PIECE if frame.left is None else min(_PIECE, frame.left)
            data: bytes = self._input.read(size)
            framed = frame.write(data, is_last=not data)
            if framed is None:
                return None
            pieces.append(framed)
            if frame.left is None or sum(map(len, pieces)) >= _PIECE:
                break
        return b"".join(pieces)

    # -- on the loop

    def _begin(self, data: bytes) -> None:
        try:
            self._connection = self._server.open(_client_of(self._environ), self._look, self)
            self._server.feed(self._connection, data)
        except BaseException as error:  # noqa: BLE001 - raised again on the host's thread
            self._events.put(error)
        else:
            self._look()

    def _feed(self, data: bytes) -> None:
        self._server.feed(self._connection, data)
        self._look()

    def _look(self) -> None:
        """The engine has something to say, or wants something."""
        self._events.put(None)

    # -- what the host says

    def _head(self) -> Head:
        environ = self._environ
        path = (environ.get("PATH_INFO") or "").encode("latin-1")
        root = self.root_path.encode()
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        target = target_of(
            root + path if path != b"*" else path,
            raw.encode("latin-1", "replace") if raw.startswith("/") else None,
            (environ.get("QUERY_STRING") or "").encode("latin-1"),
            self.root_path,
        )
        name = f"{environ.get('SERVER_NAME') or 'localhost'}:{environ.get('SERVER_PORT') or 80}"
        return Head(environ["REQUEST_METHOD"], target, _given(environ), server=name)

    def _refuse(self, start_response: StartResponse) -> Iterable[bytes]:
        fields, body = problem(
            400, "http.incomplete-request", "the body is shorter than its content-length says"
        )
        start_response("400 Bad Request", fields)
        return [body]


class Body:
    """The body of an answer, made while it is asked for."""

    def __init__(self, call: WsgiCall, first: bytes) -> None:
        self._call = call
        self._first = first

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece, self._first = self._first, b""
        if piece or (piece := self._call.next_piece()):
            return piece
        self._call.close()
        raise StopIteration

    def close(self) -> None:
        """The host has sent it, or its client has left."""
        self._call.close()


def _given(environ: WSGIEnvironment) -> Iterable[tuple[bytes, bytes]]:
    for key, value in environ.items():
        name = _CONTENT.get(key)
        if name is None and key.startswith("HTTP_"):
            name = key[5:].replace("_", "-").lower().encode("latin-1", "replace")
        if name is not None and isinstance(value, str) and (value or name not in _CONTENT.values()):
            yield name, value.encode("latin-1", "replace")


def _client_of(environ: WSGIEnvironment) -> tuple[str, int] | None:
    address, port = environ.get("REMOTE_ADDR"), str(environ.get("REMOTE_PORT") or "0")
    return (address, int(port) if port.isdigit() else 0) if address else None


def _fields_of(head: ReplyHead) -> list[tuple[str, str]]:
    fields = [(name, value) for name, value in head.fields if name not in OF_HOST]
    if head.status not in (204, 304) and head.get("content-type") is None:
        # Hosts and middleware rely on there being one, as `wsgiref.validate` does; what has none here is empty.
        fields.append(("content-type", "text/plain; charset=utf-8"))
    return fields
