"""A client that speaks HTTP/2, by prior knowledge or by TLS: the `h2` package on a blocking socket, and nothing of ours."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from tests.waiting import PATIENCE

Fields = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Answered:
    """What has come on one stream."""

    status: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    interim: list[tuple[int, dict[str, str]]] = field(
        default_factory=list[tuple[int, dict[str, str]]]
    )
    ended: bool = False
    reset: int | None = None
    """The error code with which the server reset it."""

    def get(self, name: str) -> str | None:
        """The one value of a field; None where it is absent. That it comes twice is an error."""
        values = [value for known, value in self.fields if known == name]
        assert len(values) < 2, (name, values)
        return values[0] if values else None


class Client:
    """One connection."""

    def __init__(
        self,
        port: int,
        *,
        window: int | None = None,
        reads: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.scheme = "http" if tls is None else "https"
        if tls is not None:
            self.socket = agreed(self.socket, tls)
        self.http = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self.answers: dict[int, Answered] = {}
        self.went_away: int | None = None
        """The error code of the server's GOAWAY."""
        self.closed = False
        self.reads = reads
        """Whether what came of a body is acknowledged, so that more may come."""
        self.http.initiate_connection()
        if window is not None:
            # Of each stream; that of the connection has its own frames.
            self.http.update_settings({4: window})
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Sends what is to be sent."""
        if data := self.http.data_to_send():
            self.socket.sendall(data)

    def ask(
        self,
        path: str = "/",
        fields: Fields = (),
        *,
        method: str = "GET",
        body: bytes | None = None,
        more: bool = False,
    ) -> int:
        """Sends a request; returns its stream. With `more` the body is not ended."""
        stream = self.http.get_next_available_stream_id()
        head = [
            (":method", method),
            (":scheme", self.scheme),
            (":authority", "localhost"),
            (":path", path),
            *fields,
        ]
        self.answers[stream] = Answered()
        self.http.send_headers(stream, head, end_stream=body is None and not more)
        self.flush()
        if body is not None:
            self.send(stream, body, end=not more)
        return stream

    def send(self, stream: int, body: bytes, *, end: bool = True) -> None:
        """Sends of a body as the server makes room."""
        while len(body) > (room := self._room(stream)):
            if room:
                self.http.send_data(stream, body[:room])
                body = body[room:]
                self.flush()
            else:
                self.receive()
                if self.answers[stream].ended or self.answers[stream].reset is not None:
                    return
        self.http.send_data(stream, body, end_stream=end)
        self.flush()

    def _room(self, stream: int) -> int:
        return min(self.http.local_flow_control_window(stream), self.http.max_outbound_frame_size)

    def receive(self) -> None:
        """Takes in what comes next; waits for it."""
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return
        try:
            events = self.http.receive_data(data)
        except ProtocolError:
            self.closed = True
            raise
        for event in events:
            self._note(event)
        self.flush()

    def _note(self, event: Event) -> None:
        match event:
            case ResponseReceived():
                answer = self.answers[event.stream_id]
                (name, status), *answer.fields = _texts(event.headers)
                assert name == ":status"
                answer.status = int(status)
            case InformationalResponseReceived():
                (_, status), *rest = _texts(event.headers)
                self.answers[event.stream_id].interim.append((int(status), dict(rest)))
            case DataReceived():
                self.answers[event.stream_id].body += event.data
                if self.reads:
                    self.http.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
            case TrailersReceived():
                self.answers[event.stream_id].trailers += _texts(event.headers)
            case StreamEnded():
                self.answers[event.stream_id].ended = True
            case StreamReset():
                self.answers[event.stream_id].reset = int(event.error_code)
            case ConnectionTerminated():
                self.went_away = int(event.error_code or 0)
            case _:
                pass

    def until(self, condition: Callable[[], object]) -> None:
        """Receives until something is so; that the connection closes before is an error."""
        while not condition():
            assert not self.closed, "the server closed the connection"
            self.receive()

    def answer(self, stream: int) -> Answered:
        """The answer on a stream, to its end."""
        answer = self.answers[stream]
        self.until(lambda: answer.ended or answer.reset is not None)
        return answer

    def get(self, path: str = "/", fields: Fields = (), *, method: str = "GET") -> Answered:
        """The answer to one request without a body."""
        return self.answer(self.ask(path, fields, method=method))

    def post(self, path: str, body: bytes, fields: Fields = ()) -> Answered:
        """The answer to a POST."""
        return self.answer(self.ask(path, fields, method="POST", body=body))

    def until_closed(self) -> None:
        """Receives until the server closes the connection."""
        while not self.closed:
            self.receive()


def agreed(connection: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
    """The connection by TLS, on which both sides have agreed to speak HTTP/2."""
    tls.set_alpn_protocols(["h2", "http/1.1"])
    sealed = tls.wrap_socket(connection, server_hostname="localhost")
    assert sealed.selected_alpn_protocol() == "h2"
    return sealed


def _texts(headers: object) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in headers]  # type: ignore[attr-defined]  # typed as bytes


def frame(kind: int, flags: int = 0, stream: int = 0, content: bytes = b"") -> bytes:
    """One frame (RFC 9113 section 4.1)."""
    head = len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + content


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = frame(4)


def literal(fields: Mapping[str, str]) -> bytes:
    """A field block without compression (RFC 7541 section 6.2.2)."""
    block = b""
    for name, value in fields.items():
        assert len(name) < 127
        assert len(value) < 127
        block += b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
    return block


GET = {":method": "GET", ":scheme": "http", ":authority": "localhost", ":path": "/"}
HEAD = literal(GET)


@dataclass(slots=True, frozen=True)
class Frame:
    """A frame that the server sent."""

    kind: int
    flags: int
    stream: int
    content: bytes


class Raw:
    """A connection that sends frames as they are, whatever the rules say, and acknowledges nothing by itself."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.frames: list[Frame] = []
        self.closed = False
        self._rest = b""
        self.send(PREFACE + SETTINGS + frame(4, 1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    @property
    def kinds(self) -> list[int]:
        """The kinds of frames that came."""
        return [frame.kind for frame in self.frames]

    def send(self, data: bytes) -> None:
        """Sends frames. A server that has had enough is no error: what it says is what counts."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def receive(self) -> None:
        """Takes in what comes next; waits for it."""
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            data = b""
        self.closed = not data
        self._rest += data
        while len(self._rest) >= 9:
            end = 9 + int.from_bytes(self._rest[:3], "big")
            if len(self._rest) < end:
                return
            head, content = self._rest[:9], self._rest[9:end]
            stream = int.from_bytes(head[5:], "big")
            self.frames.append(Frame(head[3], head[4], stream, content))
            self._rest = self._rest[end:]

    def until(self, kind: int) -> Frame:
        """Receives until a further frame of a kind has come."""
        before = self.kinds.count(kind)
        while self.kinds.count(kind) == before:
            assert not self.closed, (
                f"the server closed the connection; before that came {self.frames}"
            )
            self.receive()
        return next(frame for frame in reversed(self.frames) if frame.kind == kind)

    def until_closed(self) -> None:
        """Receives until the server closes the connection."""
        while not self.closed:
            self.receive()
