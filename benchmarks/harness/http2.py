"""Rows about HTTP/2: h2load for the load, connections of our own for the memory."""

import re
import shutil
import socket
from dataclasses import dataclass

from harness.bench import Bench
from harness.checker import WrongAnswerError
from harness.exchange import PLAINTEXT, Exchange
from harness.generator import GeneratorError, Report, run_alone
from harness.load import LoadRow
from harness.server import Server

RATE = re.compile(r"^finished in .*?, ([\d.]+) req/s", re.MULTILINE)
REQUESTS = re.compile(r"^requests: .*?(\d+) done, (\d+) succeeded", re.MULTILINE)
MEAN = re.compile(r"^time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)\b", re.MULTILINE)
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
DATA, RESET, GOAWAY = 0, 3, 7
END_STREAM = 1


def read(text: str, load: float, seconds: float) -> Report:
    """The report of h2load as a Report; of latencies it has the mean alone. Raises GeneratorError."""
    rate, requests = RATE.search(text), REQUESTS.search(text)
    if rate is None or requests is None:
        raise GeneratorError(text.strip()[-300:])
    done, succeeded = map(int, requests.groups())
    mean = MEAN.search(text)
    return Report(
        requests=succeeded,
        rate=float(rate.group(1)),
        load=load,
        seconds=seconds,
        p50=float(mean.group(1)) * MILLISECONDS[mean.group(2)] if mean else 0.0,
        p99=0.0,
        errors=done - succeeded,
    )


def run(
    port: int, exchange: Exchange, *, connections: int, streams: int, seconds: float, core: int
) -> Report:
    """Loads a server with one thread of h2load for whole seconds. Raises GeneratorError."""
    if shutil.which("h2load") is None:
        raise GeneratorError("there is no h2load here: apt install nghttp2-client")
    command = [
        *("h2load", "-t", "1", "-c", str(connections)),
        *("-m", str(streams), "-D", str(max(1, round(seconds)))),
        f"http://127.0.0.1:{port}{exchange.path}",
    ]
    return read(*run_alone(core, *command))


@dataclass(frozen=True, slots=True)
class Http2Row(LoadRow):
    """As a LoadRow, by HTTP/2: `depth` is how many requests each connection has under way.

    The answers are compared by HTTP/1.1, which every server here speaks on the same port.
    """

    def load(self, bench: Bench, server: Server, exchange: Exchange, seconds: float) -> Report:
        return run(
            server.port,
            exchange,
            connections=self.connections,
            streams=self.depth,
            seconds=seconds,
            core=bench.generator_core,
        )

    def deep(self) -> int:
        """How deep the pipelines of the comparing client are."""
        return 1


def greet(connections: list[socket.socket]) -> None:
    """One request on each connection, for the row of idle ones. Raises WrongAnswerError."""
    request = PREFACE + SETTINGS + _frame(1, 0x5, 1, _fields())
    for connection in connections:
        connection.sendall(request)
    for connection in connections:
        _read_answer(connection)


def _fields() -> bytes:
    """A GET without compression (RFC 7541 section 6.2.2)."""
    fields = {":method": "GET", ":scheme": "http", ":authority": "localhost", ":path": "/"}
    block = b""
    for name, value in fields.items():
        block += b"\0" + bytes((len(name),)) + name.encode()
        block += bytes((len(value),)) + value.encode()
    return block


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    head = len(content).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big")
    return head + content


def _read_answer(connection: socket.socket) -> None:
    """Reads to the end of the first answer. Raises WrongAnswerError."""
    body = b""
    while True:
        head = _exactly(connection, 9)
        content = _exactly(connection, int.from_bytes(head[:3], "big"))
        kind, flags = head[3], head[4]
        if kind in (RESET, GOAWAY):
            raise WrongAnswerError(f"a frame of kind {kind} for an answer")
        if kind == DATA:
            body += content
            if flags & END_STREAM:
                break
    if body != PLAINTEXT.answer:
        raise WrongAnswerError(f"body {body[:100]!r}")


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise WrongAnswerError("the connection ended before the answer did")
        data += piece
    return data
