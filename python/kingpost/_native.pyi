"""The engine: everything of Kingpost that is written in Rust, as Python sees it."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Sequence,
)
from contextvars import Context
from os import PathLike
from typing import Any, Final, Literal, Self, TypeAlias, TypeVar, final

from typing_extensions import disjoint_base

__all__ = [
    "DURATION_BOUNDS",
    "LIMITS",
    "REQUIRED",
    "Answer",
    "Binder",
    "Carrier",
    "Counters",
    "FileBody",
    "FileWrapper",
    "FormRefused",
    "Frame",
    "Guest",
    "Headers",
    "MultipartParser",
    "NativeBody",
    "OpenFile",
    "Plan",
    "Request",
    "RouteConflict",
    "Router",
    "Server",
    "Tls",
    "TlsProblem",
    "WebSocket",
    "WebSocketClosed",
    "adopt_orphans",
    "end_with_parent",
    "parse_requests",
    "read_certificate",
]

_T = TypeVar("_T")

REQUIRED: Final[object]
"""Stands in a binder where a parameter has no default."""

DURATION_BOUNDS: Final[list[int]]
"""Upper bounds of the durations that requests are counted by, in milliseconds; what is longer is counted last."""

LIMITS: Final[dict[str, int]]
"""Every default limit of the engine by name; bytes, milliseconds or counts as its name says."""

class FormRefused(ValueError):
    """A form broke a rule; its args are (status, code, sentence)."""

@final
class MultipartParser:
    """Reads one `multipart/form-data` body as it arrives; memory is bounded, whatever its size."""

    def __new__(
        cls,
        content_type: bytes,
        *,
        fields: int | None = None,
        files: int | None = None,
        field: int | None = None,
        memory: int | None = None,
        file: int | None = None,
    ) -> Self:
        """For the value of a Content-Type; the numbers are limits, the engine's defaults where they are None.

        Raises:
            FormRefused: it is of another type, or names no boundary.
        """
    def feed(self, data: bytes, /) -> list[tuple[bytes, bytes | None, bytes | None] | bytes | None]:
        """What `data` adds: (name, filename, content type) where a part begins, bytes of its content, None where it ends.

        Raises:
            FormRefused: the form breaks a rule; every later call raises it again.
        """
    def finish(self) -> None:
        """The body has ended.

        Raises:
            FormRefused: the form has not.
        """

class RouteConflict(ValueError):
    """Two routes answer the same method on the same path; the message names both sources."""

@final
class Counters:
    """Numbers that this process shares with all that it forks. Bounded: 16,384 names, some 300,000 windows, 1,024 marks; 17 MB at most."""

    def __new__(cls) -> Self:
        """An empty table.

        Raises:
            OSError: the system has no memory for it.
        """
    def hit(self, key: str, window: float, /, *, now: float | None = None) -> tuple[int, float]:
        """Counts one more for `key`: how often in the window that runs, this time included, and how many seconds that goes on.

        Exact over all processes. A window of `window` seconds begins with the first hit after the one before has ended; of too many
        the one that ends first is forgotten. `now` is the system's monotonic clock if not said.

        Raises:
            ValueError: a time is negative, or no number.
        """
    def add(self, name: str, amount: int = 1, /) -> bool:
        """Adds to a sum; False where there is no room for another name, or it has more than 496 bytes."""
    def set(self, name: str, amount: int, /, *, owner: int) -> bool:
        """Says how many of something `owner` (0 to 65,535) has now; False as for `add`."""
    def forget(self, owner: int, /) -> None:
        """Sets to 0 all that `owner` has set."""
    def read(self) -> dict[str, int]:
        """Every name with its sum over all processes and owners."""
    def mark(self, number: int, value: int, /) -> None:
        """Writes mark `number`.

        Raises:
            IndexError: it is not 0 to 1,023.
        """
    def marked(self, number: int, /) -> int:
        """What mark `number` was set to last, 0 at first."""

@final
class Headers:
    """Header fields of a request: names compare without case, repeated fields are kept in order."""

    def __getitem__(self, name: str, /) -> str: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def get(self, name: str, default: Any = None, /) -> Any: ...
    def get_all(self, name: str) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...
    def keys(self) -> list[str]: ...
    def values(self) -> list[str]: ...
    @property
    def raw(self) -> list[tuple[bytes, bytes]]: ...

@final
class NativeBody:
    """The unread body of a request whose route streams it."""

    @property
    def length(self) -> int | None:
        """Bytes declared by the client; None when the body is chunked."""
    def chunk(self) -> Awaitable[bytes]:
        """The next bytes on the event loop; b"" at the end. Raises the HTTP refusal of a bad or oversized body."""
    def chunk_blocking(self) -> bytes:
        """The same from a worker thread."""

@disjoint_base
class Request:
    """What one request says. Made by the engine, never by hand."""

    def __new__(cls) -> Self: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def raw_path(self) -> bytes: ...
    @property
    def query_string(self) -> bytes: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def client(self) -> str | None: ...
    @property
    def scheme(self) -> str: ...
    @property
    def client_certificate_der(self) -> bytes | None:
        """The certificate that the client has shown by TLS, in DER; None where it was not asked for one, or had none."""
    @property
    def http_version(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def body(self) -> bytes:
        """Raises RuntimeError where it is still to come."""
    def keep_body(self, body: bytes) -> None:
        """The body has come; whoever reads the request from now on finds it complete."""
    @property
    def stream(self) -> NativeBody | None: ...
    @property
    def websocket(self) -> WebSocket | None:
        """What the client asks for, not accepted yet, on a route of the method "WEBSOCKET"; None for any other request.

        What the handler returns or raises before `accept` is answered as plain HTTP. Behind it the end of the handler closes
        with 1000, an exception with 1011.
        """
    @property
    def id(self) -> str: ...
    @property
    def path_params(self) -> dict[str, str]:
        """Path parameters, percent-decoded, not converted."""
    @property
    def route_index(self) -> int | None:
        """The target that the router found; None where no route matched."""
    @property
    def connection(self) -> int | None:
        """A number that tells its connection from all others of this server; None for a request that was made by hand."""

    @property
    def caller(self) -> Any:
        """Who made its connection and runs it, where another server serves the application; else None."""

    def watch_connection(self, function: Callable[[], object], /) -> bool:
        """Have `function` called on the loop when the connection is over; False where it is over already."""

    @property
    def is_disconnected(self) -> bool: ...
    def send_early_hints(self, links: Sequence[str]) -> None:
        """Send 103 with these values of Link, unless the answer has begun, or the client is one of HTTP/1.0 or has left."""
    @property
    def cache(self) -> dict[str, Any]:
        """Values computed once per request (query, cookies, …); empty for each new request."""
    @property
    def dispatch(self) -> Any:
        """The dispatch object that the server was made with."""

@final
class WebSocketClosed(Exception):
    """The WebSocket is closed; its `code` and `reason` are those of whoever closed first."""

    # An exception's __init__ takes whatever its __new__ has taken.
    def __new__(  # pyright: ignore[reportInconsistentConstructor] - as said above
        cls, code: int, reason: str = ..., /
    ) -> Self: ...
    @property
    def code(self) -> int:
        """1005 where the client said none, 1006 where the connection broke off."""
    @property
    def reason(self) -> str: ...

@final
class Frame:
    """A message that goes to many: encoded, and compressed, once."""

    def __new__(cls, message: str | bytes | bytearray | memoryview, /) -> Self: ...
    @property
    def message(self) -> Any:
        """As it was given; of what may change, bytes as they were then."""
    def __len__(self) -> int:
        """Bytes that it takes on the wire, uncompressed."""

@final
class WebSocket:
    """A request that is, or may become, a connection of messages. Made by the engine, never by hand."""

    @property
    def subprotocols(self) -> list[str]:
        """Those that the client speaks, its favourite first."""
    def accept(
        self, subprotocol: str | None = None, headers: Sequence[tuple[str, str]] = ...
    ) -> None:
        """Answer 101. From now on there are messages, and no HTTP.

        Raises:
            ValueError: the subprotocol is none of the client's, or a field cannot be sent.
            RuntimeError: it is accepted already.
            WebSocketClosed: the client has left.
        """
    def receive(self) -> Coroutine[Any, Any, str | bytes]:
        """The next message; every message that came is received before the end.

        Raises:
            WebSocketClosed: it is closed, by whomever; every further call raises it again.
            RuntimeError: it is not accepted, or another task receives already.
        """
    @property
    def talk(self) -> Any:
        """What the application talks by, where it has told; its `__left__` ends handlers that go on although their client is gone."""
    @talk.setter
    def talk(self, talk: Any) -> None: ...
    def on_accept(self, function: Callable[[], object]) -> None:
        """Have `function` called when it is accepted."""
    def each(self, kind: type[str | bytes], refusal: str) -> Self:
        """Its messages of one kind, until it is closed; whoever sends others is told `refusal` each time."""
    def __aiter__(self) -> Self: ...
    def __anext__(self) -> Coroutine[Any, Any, str | bytes]: ...
    def send(
        self, message: str | bytes | bytearray | memoryview | Frame, /
    ) -> Coroutine[Any, Any, None]:
        """Send a message. Done at once while there is room; where the client reads slowly it waits.

        Raises:
            WebSocketClosed: it is closed.
        """
    def send_now(self, message: str | bytes | bytearray | memoryview | Frame, /) -> bool:
        """Queue a message, ahead of those that wait in `send`; False, and nothing is queued, beyond `websocket_queue` bytes, and where it is closed."""
    def ping(self, data: bytes | None = None) -> None:
        """Send a ping of at most 125 bytes; the engine sends its own where a client is silent."""
    def close(self, code: int = 1000, reason: str = "") -> Coroutine[Any, Any, None]:
        """Close. Nothing is received from now on; what was sent before still arrives.

        Raises:
            ValueError: a code that must not be sent, or a reason of more than 123 bytes.
            RuntimeError: it is not accepted: refuse it with an answer.
        """
    @property
    def buffered(self) -> int:
        """Bytes that wait to be sent."""
    @property
    def closed(self) -> tuple[int, str] | None:
        """(code, reason) of whoever closed first; None while it is open."""

@final
class Router:
    """The path tree."""

    def __new__(cls) -> Self: ...
    def add(self, pattern: str, methods: Sequence[str], target: int, source: str) -> None:
        """Raises RouteConflict, or ValueError where the pattern is malformed."""
    def find(self, method: str, path: bytes) -> tuple[int, dict[str, str]] | tuple[str, ...] | None:
        """(target, parameters); or the methods that the path allows; or None."""

@final
class OpenFile:
    """A regular file, open for reading, as it was when it was opened. Closed with the last object that holds it."""

    def __new__(cls, path: str | PathLike[str], *, follow: bool = True) -> Self:
        """Raises OSError where it cannot be opened, is no regular file, or is a symbolic link and `follow` is false."""
    @property
    def size(self) -> int:
        """Bytes."""
    @property
    def modified_ns(self) -> int:
        """When its content was last changed: nanoseconds since 1970."""
    @property
    def etag(self) -> str:
        """A strong entity tag, quotes included: another size, time of change or file is another tag."""

@final
class FileBody:
    """The body of an answer that lies in a file: all of it, or stretches (offset, length) with bytes between them.

    The engine sends it from where it lies, as often as it is answered with.
    """

    def __new__(
        cls, file: OpenFile, parts: Sequence[bytes | tuple[int, int]] | None = None
    ) -> Self:
        """Raises ValueError where a stretch is not in the file."""
    @property
    def length(self) -> int:
        """Bytes."""
    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes:
        """The next piece, for those who want to see what is sent; OSError where the file has become shorter."""

@final
class Answer:
    """A response as the wire wants it: checked header fields and a body of bytes, of chunks or in a file."""

    def __new__(
        cls,
        status: int,
        headers: Iterable[tuple[str, str]],
        body: bytes | FileBody | Iterator[bytes | str] | AsyncIterator[bytes | str],
        length: int | None = None,
    ) -> Self:
        """Raises ValueError naming the field when a name or a value could not be sent safely."""
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def body(self) -> Any: ...

_Binder: TypeAlias = tuple[Any, ...]
_Kind: TypeAlias = Literal["async", "thread", "inline", "asyncgen", "asgi", "wsgi"]
_Encoder: TypeAlias = (
    Literal["text", "html", "bytes", "json", "empty", "dynamic", "answer"] | Callable[[Any], bytes]
)
"""How a value is sent. "dynamic", or None: by its type; "answer": always by `Dispatch.answer`; a callable: it gives JSON, and where
it raises, `Dispatch.answer` is asked."""

@final
class Binder:
    """Makes the arguments of a call from a request: natively, or by `slow` where anything is in doubt."""

    def __new__(
        cls,
        binders: Sequence[_Binder] | None,
        slow: Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]],
    ) -> Self: ...
    def __call__(self, request: Request, /) -> tuple[Any, ...]:
        """The values for a request, positional ones first; raises what `slow` raises where the request is wrong."""

@final
class Plan:
    """One route, compiled: how its arguments are made, how it is called, how its value is sent."""

    def __new__(
        cls,
        handler: Callable[..., Any] | Guest,
        *,
        kind: _Kind,
        binders: Sequence[_Binder] | None,
        slow: Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]],
        encoder: _Encoder | None = None,
        status: int = 200,
        max_body: int = 1_048_576,
        stream_body: bool = False,
        name: str = "",
        constant: Answer | None = None,
        early: int | None = None,
    ) -> Self:
        """`early` is the place of the plan that answers where the body of a request has not come with its head."""

    @property
    def name(self) -> str: ...

@final
class Guest:
    """An application of ASGI or WSGI, as the handler of a plan of that kind."""

    def __new__(
        cls,
        app: Callable[..., Any],
        template: dict[str, Any],
        *,
        prefix: str = "",
        root: str = "",
        state: dict[str, Any] | None = None,
        extensions: dict[str, Any] | None = None,
        socket: Callable[..., Any] | None = None,
        proxies: Callable[[Any], tuple[str | None, str, str | None] | Literal[False] | None]
        | None = None,
    ) -> Self:
        """`template` is what every scope or environ begins with; `state` and `extensions` are copied for each request.

        root: stands before the path of every ASGI scope: what a proxy has taken from it.
        proxies: called with each request, says who asks: address, scheme, and the host where that is another one; None for whoever is
            connected, False where that cannot be told (400).
        socket: runs the application for a WebSocket: `await socket(scope, websocket, request)` gives the answer where it was not accepted.
        """

@final
class FileWrapper:
    """`wsgi.file_wrapper`: the content of a file-like object, in blocks."""

    def __new__(cls, file: Any, block_size: int = 8192, /) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def close(self) -> None: ...

@final
class Tls:
    """Certificates, who may come, and the keys of session tickets. Made before workers are forked, shared by them."""

    def __new__(
        cls,
        certificates: Sequence[tuple[str, str]],
        *,
        client_ca: str | None = None,
        client_optional: bool = False,
        protocols: Sequence[bytes],
        secret: bytes,
        since: int,
    ) -> Self:
        """certificates: files in PEM form, each with its key's. secret: 32 bytes, made at `since` (seconds since 1970).

        Raises:
            TlsProblem: A file cannot be read or used.
        """

class TlsProblem(Exception):
    """A certificate, a key or a list of authorities cannot be used: (code, sentence, remedy)."""

def read_certificate(der: bytes) -> dict[str, Any] | None:
    """What stands in a certificate in DER; None where this is no certificate.

    There are subject, issuer, serial, not_before, not_after (seconds since 1970), dns_names, emails and uris.
    """

@final
class Server:
    """The engine on one event loop: takes bytes from sockets or from a shell, calls handlers, sends answers."""

    def __new__(
        cls,
        dispatch: Any,
        router: Router,
        plans: Sequence[Plan],
        *,
        loop: Any,
        task_type: type[Any],
        context: Context | None = None,
        limits: dict[str, int] | None = None,
        tasks: Literal["carrier", "plain"] = "carrier",
        sockets: bool = True,
        threads: int = 40,
        queue: int = 1000,
        spawn: Callable[[Callable[[], None], int], None] | None = None,
        request_id: bool = True,
        block_limit: int = 100,
        trusted_peers: Sequence[tuple[str, int]] | None = None,
        mounts: Sequence[tuple[str, int]] | None = None,
        http: Literal["auto", "1", "2"] = "auto",
        spared: Sequence[str] | None = None,
    ) -> Self:
        """spawn(target, number) starts worker thread `number`, whose only work is to call target().

        block_limit: milliseconds that one step of a handler may take on the loop before it is named in the log; 0: never.
        mounts: where guests answer what the router finds no route for: paths without the last slash, and the index of their plan.
        trusted_peers: networks, as address and length of their prefix, to which `connections_per_peer` does not apply.
        spared: paths of requests that are served also where others are turned away since there are too many.
        http: versions of HTTP that are spoken; "auto" is both, and what a connection begins with says which.
        """
    def start(self) -> None:
        """Let the server call itself through the loop. Once, before the first connection."""
    def fileno(self) -> int:
        """The descriptor to give to loop.add_reader(fd, server.poll); ValueError without sockets."""
    def listen(
        self,
        fd: int,
        *,
        tls: Tls | None = None,
        proxies: Sequence[tuple[str, int]] | None = None,
        unix_proxies: bool = False,
    ) -> None:
        """Accept connections from a listening socket; the descriptor stays the caller's.

        tls: clients speak by it. proxies: they are proxies of these networks, as address and length of the prefix, or with
        unix_proxies whoever may connect to this Unix socket, and say first by the PROXY protocol whom they speak for.
        """
    def poll(self) -> None:
        """Serve what is ready; the callback of add_reader."""
    def tick(self) -> None:
        """A timer's turn; the server asks the loop for it by itself."""
    def call_in_thread(self, function: Callable[[], _T], /) -> Awaitable[_T]:
        """Run a function on a worker thread, in a copy of the caller's context, and wait for it on the loop.

        Raises:
            HTTPError: 503 `server.queue-full`.
        """
    def work(self) -> None:
        """The life of one worker thread; what `spawn` is given."""
    def look_at_threads(self) -> None:
        """Whether jobs wait because the threads are blocked; the server asks the loop for it by itself."""
    def stop(self, grace: float, quiet: float = 0.25) -> None:
        """Accept no more, finish what is in flight, close what is idle for `quiet` seconds; after `grace` seconds close the rest."""
    def close(self) -> None:
        """Close everything now, retire the carriers and end the worker threads (those in user code are left)."""
    @property
    def connections(self) -> int: ...
    @property
    def requests(self) -> int:
        """How many there were, ever."""
    @property
    def in_flight(self) -> int:
        """Requests that are not answered yet: their body or worker thread is waited for, or their handler.

        A handler on the loop is not counted in its first step, that is until it suspends: one that reads this there, and
        any with inline=True, does not find itself in the count. A `def` on a worker thread does.
        """
    def current_step(self) -> tuple[int, int] | None:
        """The step of a handler that runs on the loop now: (its number, the index of its plan)."""
    def turn(self) -> None:
        """Send what tasks have answered and go on with what is ready; the server asks the loop for it by itself."""
    def stats(self) -> dict[str, int]: ...
    def measured(
        self,
    ) -> (
        tuple[
            list[tuple[int, str, int, int, list[int]]],
            list[tuple[str, int]],
            int,
            int,
        ]
        | None
    ):
        """What was measured since the last call; None where the dispatch does not say `measures`.

        (plan, method, status, microseconds, requests by duration) for each of these; refusals by code; bytes of bodies that were sent, and received.
        """
    # Shells without sockets: a connection is a number, bytes go in and come out.
    def open(
        self,
        client: tuple[str, int] | None,
        notify: Callable[[], None],
        caller: object = None,
        *,
        secure: bool = False,
        protocol: str | None = None,
    ) -> int:
        """A new connection; notify() is called when it has output, wants to be read again or is to be closed.

        caller: who runs its requests by himself; `kingpost.server.hosted.caller` says what that is.
        secure: nobody on the way can read it.
        protocol: what was agreed on (ALPN), such as "h2": it speaks that from its first byte and nothing else. None: what it sends decides.
        """
    def feed(self, connection: int, data: bytes) -> None: ...
    def feed_at_once(self, connection: int, data: bytes) -> None:
        """As feed, from a task whose request it is, and served at once; for connections with a caller."""
    def feed_eof(self, connection: int) -> None: ...
    def lost(self, connection: int) -> None: ...
    def output(self, connection: int) -> bytes: ...
    def wants_read(self, connection: int) -> bool: ...
    def fate(self, connection: int) -> Literal["open", "finish", "close"]:
        """What becomes of a connection once its output is sent; "finish": write EOF and go on feeding."""

@final
class Carrier:
    """The coroutine of a RequestTask; see docs/design for the whole story."""

    def touch(self) -> None: ...
    @property
    def user_coro(self) -> Any: ...
    @property
    def user_context(self) -> Context | None: ...
    @property
    def __name__(self) -> str: ...
    @property
    def __qualname__(self) -> str: ...
    # The coroutine, and the future, that it is for its Task.
    def send(self, value: Any) -> Any: ...
    def throw(self, exception: Any, value: Any = None, traceback: Any = None) -> Any: ...
    def close(self) -> None: ...
    def __await__(self) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def add_done_callback(self, callback: Any, *, context: Any = None) -> None: ...
    def cancel(self, msg: Any = None) -> bool: ...
    def result(self) -> None: ...
    def get_loop(self) -> Any: ...

def adopt_orphans() -> bool:
    """From now on what descendants leave behind when they end is this process's to wait for; False where the system cannot do that."""

def end_with_parent(signal: int, /) -> bool:
    """From now on this process gets `signal` when the one that started it ends, none if 0; False where the system cannot do that.

    Raises:
        OSError: there is no such signal.
    """

def parse_requests(data: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Methods, targets and bodies of the requests in data; ValueError(code) where one is refused."""
