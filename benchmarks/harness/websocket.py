"""Rows about WebSockets: `generator/websocket.c` for the load, a client of our own for what is compared and for idle ones."""

import re
import socket
import time
from dataclasses import dataclass
from typing import Literal

from harness.bench import Bench
from harness.builds import BuildError, compile_c
from harness.checker import TIMEOUT, WrongAnswerError
from harness.exchange import Exchange
from harness.generator import GeneratorError, Report, run_alone
from harness.load import Entry, LoadRow
from harness.places import WEBSOCKET_SOURCE
from harness.server import START_TIMEOUT, Server, StartError

Kind = Literal["echo", "broadcast"]
REPORT = re.compile(
    r"messages (\d+) seconds ([\d.]+) p50 ([\d.]+) p99 ([\d.]+) errors (\d+)\s*", re.ASCII
)
MESSAGE = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl"
MASK = b"\x0f\xf0\x55\xaa"
ACCEPTED = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the answer to KEY (RFC 6455 section 1.3)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ECHO = Exchange("/echo", MESSAGE, "")
BROADCAST = Exchange("/broadcast", MESSAGE, "")


def read(text: str, load: float) -> Report:
    """The report of the generator as a Report. Raises GeneratorError."""
    found = REPORT.fullmatch(text)
    if found is None:
        raise GeneratorError(text.strip()[-300:])
    messages, seconds, p50, p99, errors = found.groups()
    return Report(
        requests=int(messages),
        rate=int(messages) / float(seconds),
        load=load,
        seconds=float(seconds),
        p50=float(p50),
        p99=float(p99),
        errors=int(errors),
    )


def run(port: int, path: str, *, kind: Kind, connections: int, seconds: float, core: int) -> Report:
    """Loads a server with the generator, built at its first use. Raises GeneratorError."""
    try:
        program = compile_c(WEBSOCKET_SOURCE)
    except BuildError as error:
        raise GeneratorError(str(error)) from error
    command = [
        *(str(program), kind, str(port), path),
        *(str(connections), f"{seconds:.3f}", str(len(MESSAGE))),
    ]
    text, load, _ = run_alone(core, *command)
    return read(text, load)


@dataclass(frozen=True, slots=True)
class WebSocketRow(LoadRow):
    """As a LoadRow, where what is counted are messages that clients received.

    kind: "echo" has one message under way on each connection; "broadcast" sends on the first one, and all receive it.
    """

    kind: Kind = "echo"

    def load(self, bench: Bench, server: Server, exchange: Exchange, seconds: float) -> Report:
        return run(
            server.port,
            exchange.path,
            kind=self.kind,
            connections=self.connections,
            seconds=seconds,
            core=bench.generator_core,
        )

    def start(self, bench: Bench, entry: Entry) -> Server:
        """A fresh server that has sent a message back; not all here speak HTTP besides."""
        server = bench.start(entry.peer)
        reason: Exception | None = None
        while time.monotonic() - server.started < START_TIMEOUT and server.is_alive():
            try:
                self.compare(server, self.exchange)
            except (OSError, WrongAnswerError) as error:
                reason = error
                time.sleep(0.02)
                continue
            return server
        server.stop()
        raise StartError(f"no WebSocket: {reason}; {server.why()}")

    def compare(self, server: Server, exchange: Exchange) -> None:
        """One client alone gets back what it says, of either kind."""
        with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT) as connection:
            greet([connection], exchange.path)
            connection.sendall(b"\x88\x80" + MASK)


def greet(connections: list[socket.socket], path: str = ECHO.path) -> None:
    """A handshake and an echo on each connection. Raises WrongAnswerError, OSError."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
    masked = bytes(byte ^ MASK[place % 4] for place, byte in enumerate(MESSAGE))
    for connection in connections:
        connection.sendall(request.encode())
    for connection in connections:
        _read_head(connection)
        connection.sendall(bytes((0x81, 0x80 | len(MESSAGE))) + MASK + masked)
    expected = bytes((0x81, len(MESSAGE))) + MESSAGE
    for connection in connections:
        answer = b""
        while len(answer) < len(expected):
            answer += _some(connection, len(expected) - len(answer))
        if answer != expected:
            raise WrongAnswerError(f"{path}: the message {answer[:100]!r}")


def _read_head(connection: socket.socket) -> None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # What comes behind it is a frame already.
        head += _some(connection, 1)
    if not head.startswith(b"HTTP/1.1 101 ") or ACCEPTED not in head:
        raise WrongAnswerError(f"a handshake was answered with {head[:100]!r}")


def _some(connection: socket.socket, most: int) -> bytes:
    data = connection.recv(most)
    if not data:
        raise WrongAnswerError("the connection ended before the answer did")
    return data
