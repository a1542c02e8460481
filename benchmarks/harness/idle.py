"""Rows about connections that are open and say nothing."""

import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from harness import accounting, generator
from harness.bench import Bench
from harness.builds import BuildError
from harness.checker import Reader, WrongAnswerError, check, compare
from harness.exchange import PLAINTEXT
from harness.load import Entry
from harness.result import Result
from harness.server import Server, StartError

# One loopback address has about 28,000 ports by default, and servers may limit a single client.
CLIENTS = tuple(f"127.0.0.{number}" for number in range(2, 12))
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; the socket module names it from Python 3.12 on
SETTLE = 0.5  # seconds
WATCH = 8.0  # seconds that an idle server is watched; below every server's keep-alive timeout here


@contextmanager
def held(
    port: int, count: int, greet: Callable[[list[socket.socket]], None] | None = None
) -> Generator[list[socket.socket]]:
    """`count` connections that each had a request answered. Raises WrongAnswerError, OSError."""
    connections: list[socket.socket] = []
    try:
        for number in range(count):
            connection = socket.socket()
            connections.append(connection)
            connection.settimeout(10)
            connection.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            connection.bind((CLIENTS[number % len(CLIENTS)], 0))
            connection.connect(("127.0.0.1", port))
        if greet is not None:
            greet(connections)
        else:
            request = PLAINTEXT.render(f"127.0.0.1:{port}")
            for connection in connections:
                connection.sendall(request)
            for connection in connections:
                compare(PLAINTEXT, Reader(connection).answer())
        yield connections
    finally:
        for connection in connections:
            connection.close()


def still_open(connections: list[socket.socket]) -> int:
    """How many the server has not closed."""
    alive = 0
    for connection in connections:
        connection.settimeout(0)
        try:
            alive += bool(connection.recv(1))
        except BlockingIOError:
            alive += 1
        except OSError:
            continue
    return alive


@dataclass(frozen=True, slots=True)
class IdleMemoryRow:
    """Memory of the server for one idle keep-alive connection; the kernel's own is not in it."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    connections: int = 10_000
    metric: str = "bytes"
    greet: Callable[[list[socket.socket]], None] | None = None  # another request than the plain one

    def measure(self, bench: Bench) -> list[Result]:
        return [
            _with_server(bench, self.name, entry, partial(self._one, bench))
            for entry in self.entries
            if bench.is_wanted(entry.peer)
        ]

    def _one(self, bench: Bench, server: Server, result: Result) -> None:
        # Pools and arenas that load fills once are not what an idle connection costs.
        generator.run(server.port, PLAINTEXT, seconds=bench.warm_up, core=bench.generator_core)
        time.sleep(SETTLE)
        before = accounting.pss_bytes(server.session)
        with held(server.port, self.connections, self.greet) as connections:
            time.sleep(SETTLE)
            after = accounting.pss_bytes(server.session)
            alive = still_open(connections)
        result.values["bytes"] = (after - before) / self.connections
        result.values["held"] = alive
        result.values["pss_mb"] = after / 2**20
        if alive < self.connections:
            result.remarks.append(f"only {alive} of {self.connections} stayed open")


@dataclass(frozen=True, slots=True)
class WorkerMemoryRow:
    """Memory of one more worker that it shares with no other process, after some load."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    metric: str = "private_mb"

    def measure(self, bench: Bench) -> list[Result]:
        return [
            _with_server(bench, self.name, entry, partial(self._one, bench))
            for entry in self.entries
            if bench.is_wanted(entry.peer)
        ]

    def _one(self, bench: Bench, server: Server, result: Result) -> None:
        generator.run(server.port, PLAINTEXT, seconds=bench.warm_up, core=bench.generator_core)
        time.sleep(SETTLE)
        sizes = accounting.private_bytes_of_leaves(server.session)
        result.values["private_mb"] = max(sizes) / 2**20
        result.values["workers"] = len(sizes)


@dataclass(frozen=True, slots=True)
class IdleCpuRow:
    """Processor time of a server that holds idle connections, per cent of a core."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    connections: int = 1_000
    metric: str = "percent"

    def measure(self, bench: Bench) -> list[Result]:
        return [
            _with_server(bench, self.name, entry, self._one)
            for entry in self.entries
            if bench.is_wanted(entry.peer)
        ]

    def _one(self, server: Server, result: Result) -> None:
        with held(server.port, self.connections) as connections:
            time.sleep(SETTLE)
            before = accounting.fine_cpu_seconds(server.session)
            time.sleep(WATCH)
            used = accounting.fine_cpu_seconds(server.session) - before
            alive = still_open(connections)
        result.values["percent"] = used / WATCH * 100
        result.values["held"] = alive
        if alive < self.connections:
            result.remarks.append(f"only {alive} of {self.connections} stayed open")


def _with_server(
    bench: Bench, row: str, entry: Entry, measure: Callable[[Server, Result], None]
) -> Result:
    """The result of `measure` on a fresh server of the entry's peer."""
    result = Result(row, entry.name, entry.label)
    try:
        server = bench.start_ready(entry.peer, "/")
    except (BuildError, StartError) as error:
        result.missing = str(error)
        return result
    try:
        check(server.port, PLAINTEXT, 1)
        measure(server, result)
    except (WrongAnswerError, OSError, generator.GeneratorError) as error:
        result.missing = f"{type(error).__name__}: {error}"
    finally:
        server.stop()
    return result
