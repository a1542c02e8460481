"""What tests of security share: servers in a thread on either shell, raw bytes to them, and what came back.

Nothing here uses our own client: what reads the answers must not share a mistake with what wrote them.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kingpost import App, _native
from kingpost.app.compile import compile_app
from kingpost.html import Html
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.server.engine import Service
from kingpost.server.listen import Address, open_listeners
from kingpost.server.operations import open_operations
from kingpost.server.options import Http, Options
from kingpost.server.tls import Tls
from kingpost.server.worker import Worker
from kingpost.types import Mode
from tests.waiting import PATIENCE, until

Kind = Literal["async", "thread", "inline", "asyncgen"]
Driver = Literal["native", "asyncio"]

SHELLS: tuple[Driver, ...] = ("native", "asyncio") if os.name == "posix" else ("asyncio",)

UNHURRIED = {"head_timeout": 600_000, "idle_timeout": 600_000, "body_timeout": 600_000}
"""Milliseconds: that nothing came for a while is not what ends a connection here, unless a test is about that."""


@dataclass(slots=True)
class Answered:
    """One answer as it stood on the wire."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes
    interim: list[int] = field(default_factory=list[int])

    def get(self, name: str) -> str | None:
        """The one value of a field; None where it is absent. That it comes twice is an error."""
        values = [value for known, value in self.fields if known == name]
        assert len(values) < 2, (name, values)
        return values[0] if values else None

    @property
    def code(self) -> str:
        """The code of a problem+json answer."""
        return str(json.loads(self.body)["code"])


class Incomplete(Exception):
    """The bytes end before the answer does."""


def read_answers(data: bytes, methods: Iterable[str] = ()) -> list[Answered]:
    """The answers that `data` consists of, read strictly.

    Args:
        data: Everything that the server sent.
        methods: Of the requests that they answer, in order; further ones are GETs.

    Raises:
        Incomplete: The last one is cut short.
    """
    answers: list[Answered] = []
    asked = list(methods)
    while data:
        method = asked.pop(0) if asked else "GET"
        interim: list[int] = []
        while True:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                raise Incomplete(head)
            first, *lines = head.decode("latin-1").split("\r\n")
            version, status, _ = first.split(" ", 2)
            assert version == "HTTP/1.1", first
            fields: list[tuple[str, str]] = []
            for line in lines:
                name, colon, value = line.partition(": ")
                assert colon, head
                assert name == name.lower(), line
                fields.append((name, value))
            if int(status) >= 200:
                break
            interim.append(int(status))
        answer = Answered(int(status), fields, b"", interim)
        answer.body, data = _body(answer, method, data)
        answers.append(answer)
    return answers


def _body(answer: Answered, method: str, data: bytes) -> tuple[bytes, bytes]:
    length, coding = answer.get("content-length"), answer.get("transfer-encoding")
    assert length is None or coding is None, answer.fields
    if answer.status in (204, 304):
        assert length is None, answer.fields
        assert coding is None, answer.fields
        return b"", data
    if method == "HEAD":
        return b"", data
    if coding is not None:
        assert coding == "chunked"
        return _unchunked(data)
    if length is None:
        assert answer.get("connection") == "close", answer.fields
        return data, b""
    if len(data) < int(length):
        raise Incomplete(data)
    return data[: int(length)], data[int(length) :]


def _unchunked(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, end, data = data.partition(b"\r\n")
        if not end:
            raise Incomplete(body)
        length = int(size, 16)
        if len(data) < length + 2:
            raise Incomplete(body)
        assert data[length : length + 2] == b"\r\n"
        body, data = body + data[:length], data[length + 2 :]
        if not length:
            return body, data


@dataclass(slots=True)
class Rig:
    """A server that runs in a thread of this process."""

    port: int
    worker: Worker
    thread: threading.Thread

    @property
    def server(self) -> _native.Server:
        """The engine; its counters may be read from here."""
        engine = self.worker._engine
        assert engine is not None
        return engine.server

    def connect(self) -> socket.socket:
        """A blocking connection that gives up after PATIENCE seconds."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def talk(self, *pieces: bytes, end: bool = True) -> bytes:
        """All that comes back for `pieces` on a connection of its own; see the function of this name."""
        with self.connect() as connection:
            return talk(connection, *pieces, end=end)

    def ask(self, *pieces: bytes, methods: Iterable[str] = (), end: bool = True) -> list[Answered]:
        """The answers to `pieces` on a connection of its own."""
        return read_answers(self.talk(*pieces, end=end), methods)

    def get(
        self, target: str = "/", fields: str = "", *, method: str = "GET", body: bytes = b""
    ) -> Answered:
        """The answer to one request."""
        length = f"content-length: {len(body)}\r\n" if body else ""
        head = f"{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}{length}\r\n"
        (answer,) = self.ask(head.encode("latin-1") + body, methods=[method], end=False)
        return answer

    def until_idle(self) -> None:
        """Waits until nobody is connected and nothing is in flight."""
        until(lambda: not self.server.connections and not self.server.in_flight)


def first_answers(connection: socket.socket) -> list[Answered]:
    """What comes first, read whole, on a connection that may stay open."""
    data = b""
    while True:
        piece = connection.recv(65_536)
        assert piece, data
        data += piece
        with contextlib.suppress(Incomplete):
            return read_answers(data)


def send(connection: socket.socket, *pieces: bytes, pause: float = 0.0) -> None:
    """Sends each piece by itself. A server that has had enough is no error: what it says is what counts."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(ConnectionError):
        for number, piece in enumerate(pieces):
            if number and pause:
                time.sleep(pause)
            connection.sendall(piece)


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end or the reset of a connection."""
    data = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            data += piece
    return bytes(data)


def talk(connection: socket.socket, *pieces: bytes, end: bool = True) -> bytes:
    """Sends `pieces`, ends our side, and returns all that comes back.

    Args:
        connection: Where to; the end of its other side is waited for.
        pieces: Each is one segment.
        end: Whether our side is shut behind them; if not, the server has to close.
    """
    send(connection, *pieces)
    if end:
        half_close(connection)
    return read_all(connection)


def half_close(connection: socket.socket) -> None:
    """Says that no more is sent; harmless where the other side has gone."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def reset(connection: socket.socket) -> None:
    """Closes with a reset: lingers for no second."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def send_until_full(connection: socket.socket, piece: bytes) -> int:
    """Sends until the other side takes no more for a while, or has taken far too many; returns how many bytes it took."""
    before = connection.gettimeout()
    connection.settimeout(0.3)
    sent = 0
    try:
        while sent < 200_000_000:
            sent += connection.send(piece)
    except TimeoutError:
        pass
    finally:
        connection.settimeout(before)
    return sent


def is_ended(connection: socket.socket) -> bool:
    """Whether the server ends the connection; what it still sends is thrown away."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


def cpu_seconds() -> float:
    """Processor time of this process, all its threads, so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def busy_share() -> float:
    """The share of one processor that this process uses while we sleep."""
    before, start = cpu_seconds(), time.monotonic()
    time.sleep(0.3)
    return (cpu_seconds() - before) / (time.monotonic() - start)


def until_quiet(share: float = 0.15) -> None:
    """Waits until this process, which may still be at work on what was asked for, uses less than a share of one processor."""
    until(lambda: busy_share() < share)


@contextlib.contextmanager
def serving(
    served: App | Service,
    *,
    driver: Driver = "native",
    mode: Mode = "production",
    limits: Mapping[str, int] | None = None,
    http: Http = "auto",
    tls: Tls | None = None,
    proxy_protocol: Sequence[str] = (),
) -> Generator[Rig]:
    """A server in a thread, with other limits than UNHURRIED and the default ones where they are given."""
    service: Service = compile_app(served, mode=mode) if isinstance(served, App) else served
    listeners = open_listeners(Address(port=0))
    ready = threading.Event()
    options = Options(
        grace=1.0,
        driver=driver,
        limits={**UNHURRIED, **(limits or {})},
        threads=4,
        queue=100,
        http=http,
        tls=tls,
        proxy_protocol=proxy_protocol,
    )
    # Where KINGPOST_OPS names a port.
    operations = open_operations(Address(port=0))
    worker = Worker(
        service, listeners, options, on_ready=lambda _: ready.set(), operations=operations
    )
    thread = threading.Thread(target=worker.run, name="rig", daemon=True)
    # Before it starts: a worker that stops closes them.
    port = int(listeners[0].url.rpartition(":")[2])
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield Rig(port, worker, thread)
    finally:
        worker.stop(now=True)
        thread.join(PATIENCE)
        for listener in (*listeners, *operations):
            listener.close()
        assert not thread.is_alive(), "the worker did not stop"
        assert worker.stuck_threads(PATIENCE) == []


class PlainDispatch:
    """A dispatch of bare handlers: errors by their names, misses as 404."""

    request_type = Request
    html_type = Html
    response_type = Response
    guard_all = False
    warn_markup = False

    def __init__(self) -> None:
        self.failures: list[BaseException] = []

    def json_encode(self, value: object) -> bytes:
        return json.dumps(value).encode()

    def answer(self, request: Any, plan: int, value: Any) -> _native.Answer:
        return value if isinstance(value, _native.Answer) else _native.Answer(200, [], value)

    def fail(self, request: Any, plan: int | None, error: BaseException) -> _native.Answer:
        self.failures.append(error)
        return _native.Answer(500, [], type(error).__name__.encode())

    def miss(self, request: Any, allowed: tuple[str, ...] | None) -> _native.Answer:
        return _native.Answer(404, [], b"")

    def guard(self, request: Any) -> None:
        return None

    def refusal(self, status: int, code: str, sentence: str) -> BaseException:
        return RuntimeError(f"{status} {code}")


class PlainService:
    """Bare handlers as a service, without App: path, kind, methods, function of the request."""

    mode: Mode = "production"
    trusted_peers: Sequence[tuple[str, int]] = ()

    def __init__(
        self,
        routes: Sequence[tuple[str, Kind, Sequence[str], Callable[[Any], Any]]],
        **plan_options: Any,
    ) -> None:
        self.router = _native.Router()
        self.dispatch = PlainDispatch()
        self.context = contextvars.copy_context()
        self.plans: list[_native.Plan] = []
        for index, (path, kind, methods, handler) in enumerate(routes):
            self.router.add(path, list(methods), index, f"route {index}")
            plan = _native.Plan(
                handler,
                kind=kind,
                binders=[("request", None)],
                slow=lambda request: ((request,), {}),
                name=path,
                **plan_options,
            )
            self.plans.append(plan)

    @contextlib.asynccontextmanager
    async def lifespan(self) -> Any:
        """Nothing to start and to stop."""
        yield

    def attach(self, call: object) -> None:
        """Runs nothing on threads."""

    async def idle(self) -> None:
        """Nothing is ever left."""
