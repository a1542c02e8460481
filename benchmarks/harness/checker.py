"""Checks by a client of our own that a server answers what the row expects.

The generator counts answers but reads neither bodies nor their order, so a server that answers
wrongly, or answers a pipelined batch out of order, would win a row. This client reads every byte.
"""

import socket
import ssl
from dataclasses import dataclass

from harness.exchange import Exchange
from harness.places import CERTIFICATE

TIMEOUT = 10.0  # seconds for one check


class WrongAnswerError(Exception):
    """A server answered something else than the row expects; the text says what."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    fields: dict[str, str]
    body: bytes


class Reader:
    """Reads HTTP/1.1 answers one after the other from a connection (RFC 9112 section 6.3)."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def answer(self) -> Answer:
        """The next answer. Raises WrongAnswerError where it is malformed or the connection ends."""
        head = self._until(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, _, rest = status_line.partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0") or not rest[:3].isdigit():
            raise WrongAnswerError(f"status line {status_line!r}")
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
        return Answer(int(rest[:3]), fields, self._body(fields))

    def at_end(self) -> bool:
        """Whether the server closes without sending anything more."""
        return not self._buffer and not self._connection.recv(1)

    def _body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self._until(b"\r\n").partition(b";")[0], 16):
                body += self._exactly(size + 2)[:-2]
            self._until(b"\r\n")
            return body
        if "content-length" not in fields:
            raise WrongAnswerError(f"no length in {fields}")
        return self._exactly(int(fields["content-length"]))

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _fill(self) -> None:
        data = self._connection.recv(65536)
        if not data:
            raise WrongAnswerError(f"connection closed after {self._buffer[:80]!r}")
        self._buffer += data


def compare(exchange: Exchange, answer: Answer) -> None:
    """Raises WrongAnswerError unless `answer` is what `exchange` expects."""
    if answer.status != 200:
        raise WrongAnswerError(f"{exchange.path}: status {answer.status}, {answer.body[:120]!r}")
    if answer.body != exchange.answer:
        raise WrongAnswerError(f"{exchange.path}: {answer.body[:120]!r}, not {exchange.answer!r}")
    media_type = answer.fields.get("content-type", "").replace(" ", "").lower()
    expected = exchange.media_type.replace(" ", "")
    # JSON is UTF-8 by RFC 8259: some servers say so, with the same meaning.
    if media_type not in (expected, f"{expected};charset=utf-8"):
        raise WrongAnswerError(
            f"{exchange.path}: content-type {answer.fields.get('content-type')!r}"
        )


def connect(port: int, *, by_tls: bool) -> socket.socket:
    """A connection; by TLS in its version 1.3, which is what the rows are about. Raises OSError."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
    if not by_tls:
        return connection
    try:
        context = ssl.create_default_context(cafile=str(CERTIFICATE))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context.wrap_socket(connection, server_hostname="localhost")
    except OSError:
        connection.close()
        raise


def check(port: int, exchange: Exchange, depth: int, *, by_tls: bool = False) -> dict[str, str]:
    """Sends the exchange as the row does, `depth` deep, and compares every answer in order.

    Returns the header fields of the last answer. Raises WrongAnswerError or OSError.
    """
    host = f"127.0.0.1:{port}"
    turns = [exchange]
    if depth > 1 and exchange.alternate is not None:
        turns.append(exchange.alternate)
    batch = [turns[index % len(turns)] for index in range(depth)]
    with connect(port, by_tls=by_tls) as connection:
        connection.sendall(b"".join(one.render(host) for one in batch))
        reader = Reader(connection)
        answer = None
        for one in batch:
            answer = reader.answer()
            compare(one, answer)
        if exchange.close and not reader.at_end():
            raise WrongAnswerError(f"{exchange.path}: the connection stays open after close")
    return answer.fields if answer else {}


def fetch(port: int, path: str, *, by_tls: bool = False) -> bytes:
    """The body of a GET on a connection of its own. Raises WrongAnswerError or OSError."""
    with connect(port, by_tls=by_tls) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        return Reader(connection).answer().body
