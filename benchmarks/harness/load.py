"""Rows where the generator loads servers in turns."""

import time
from dataclasses import dataclass, replace

from harness import accounting, generator
from harness.bench import Bench
from harness.builds import BuildError
from harness.checker import WrongAnswerError, check
from harness.exchange import Exchange
from harness.peers import BY_NAME
from harness.result import FOREIGN_LOAD, Result, Run
from harness.server import Server, StartError

VOID_LOAD = 0.90  # of the generator's core: from here on requests per second measure the generator


@dataclass(frozen=True, slots=True)
class Entry:
    """A subject of a row: a peer, on the row's own path or on another one."""

    peer: str
    path: str | None = None
    remark: str = ""

    @property
    def name(self) -> str:
        return self.peer + (self.path or "")

    @property
    def label(self) -> str:
        label = BY_NAME[self.peer].label
        return f"{label}, {self.path[1:]}" if self.path else label


@dataclass(frozen=True, slots=True)
class LoadRow:
    """Every subject answers the same exchange under the same load."""

    name: str
    title: str
    exchange: Exchange
    entries: tuple[Entry, ...]
    connections: int = 64
    depth: int = 1
    metric: str = "cpu_us"
    most_runs: int = 100  # where one run says it all

    def measure(self, bench: Bench) -> list[Result]:
        results: list[Result] = []
        turns: list[tuple[Entry, Result, Server]] = []
        try:
            for entry in self.entries:
                if not bench.is_wanted(entry.peer):
                    continue
                result = Result(self.name, entry.name, entry.label)
                results.append(result)
                server = self._start(bench, entry, result)
                if server is not None:
                    turns.append((entry, result, server))
            for number in range(min(bench.runs, self.most_runs)):
                # ABBA: a machine that grows slower or faster in a row treats all alike.
                for entry, result, server in turns if number % 2 == 0 else reversed(turns):
                    if not result.missing:
                        self._run(bench, entry, result, server)
        finally:
            for _, result, server in turns:
                result.values["pss_mb"] = accounting.pss_bytes(server.session) / 2**20
                server.stop()
        for result in results:
            result.take_medians()
            self._remark(result)
        return results

    def _exchange(self, entry: Entry) -> Exchange:
        exchange = self.exchange.at(entry.path) if entry.path else self.exchange
        return exchange if BY_NAME[entry.peer].answers_json else replace(exchange, alternate=None)

    def _start(self, bench: Bench, entry: Entry, result: Result) -> Server | None:
        exchange = self._exchange(entry)
        if entry.remark:
            result.remarks.append(entry.remark)
        try:
            server = self.start(bench, entry)
        except (BuildError, StartError) as error:
            result.missing = str(error)
            return None
        try:
            self.compare(server, exchange)
            self.load(bench, server, exchange, bench.warm_up)
        except (WrongAnswerError, OSError, generator.GeneratorError) as error:
            result.missing = f"{type(error).__name__}: {error}"
            server.stop()
            return None
        server.pause()
        return server

    def _run(self, bench: Bench, entry: Entry, result: Result, server: Server) -> None:
        exchange = self._exchange(entry)
        server.resume()
        try:
            self.compare(server, exchange)
            cpu = accounting.cpu_seconds(server.session)
            busy = accounting.busy_seconds(bench.server_core)
            begun = time.monotonic()
            report = self.load(bench, server, exchange, bench.seconds)
            elapsed = time.monotonic() - begun
            cpu = accounting.cpu_seconds(server.session) - cpu
            busy = accounting.busy_seconds(bench.server_core) - busy
            self.compare(server, exchange)
        except (WrongAnswerError, OSError, generator.GeneratorError) as error:
            result.missing = f"{type(error).__name__}: {error}"
            return
        finally:
            server.pause()
        result.runs.append(
            Run(
                rate=report.rate,
                cpu_us=cpu * 1e6 / max(1, report.requests),
                generator_load=report.load,
                server_load=cpu / elapsed,
                foreign=max(0.0, (busy - cpu) / elapsed),
                p50_ms=report.p50,
                p99_ms=report.p99,
                requests=report.requests,
                errors=report.errors,
            )
        )

    def start(self, bench: Bench, entry: Entry) -> Server:
        """A fresh server that answers. Raises BuildError, StartError."""
        return bench.start_ready(entry.peer, "/")

    def compare(self, server: Server, exchange: Exchange) -> None:
        """Raises WrongAnswerError, OSError unless the server answers what the row expects."""
        check(server.port, exchange, self.deep(), by_tls=server.by_tls)

    def deep(self) -> int:
        """How many requests the comparing client sends at once."""
        return self.depth

    def load(
        self, bench: Bench, server: Server, exchange: Exchange, seconds: float
    ) -> generator.Report:
        """One run of the generator."""
        return generator.run(
            server.port,
            exchange,
            connections=self.connections,
            depth=self.depth,
            seconds=seconds,
            core=bench.generator_core,
            by_tls=server.by_tls,
        )

    def _remark(self, result: Result) -> None:
        if not result.runs:
            return
        if result.values["generator_load"] >= VOID_LOAD:
            result.remarks.append("generator saturated: requests/s void, CPU stands")
        if result.values["foreign"] >= FOREIGN_LOAD:
            result.remarks.append(f"others used {result.values['foreign']:.0%} of the core")
        if result.values["errors"]:
            result.remarks.append(f"{result.values['errors']:.0f} errors")


def entries(*names: str) -> tuple[Entry, ...]:
    """Entries by name: `peer`, or `peer/path`."""
    made: list[Entry] = []
    for name in names:
        peer, slash, path = name.partition("/")
        made.append(Entry(peer, slash + path if slash else None))
    return tuple(made)
