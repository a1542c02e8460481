"""Rows about how late the loop calls its timers while HTTP saturates it."""

import json
from dataclasses import dataclass

from harness import accounting, generator
from harness.bench import Bench
from harness.builds import BuildError
from harness.checker import WrongAnswerError, check, fetch
from harness.exchange import PLAINTEXT
from harness.load import Entry
from harness.result import FOREIGN_LOAD, Result
from harness.server import Server, StartError


@dataclass(frozen=True, slots=True)
class LagRow:
    """The 99th percentile of a `call_later` ticker's delay inside the loaded server."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    connections: int = 64
    depth: int = 1
    metric: str = "lag_ms"

    def measure(self, bench: Bench) -> list[Result]:
        results: list[Result] = []
        turns: list[tuple[Entry, Result, Server]] = []
        try:
            for entry in self.entries:
                if not bench.is_wanted(entry.peer):
                    continue
                result = Result(self.name, entry.name, entry.label)
                results.append(result)
                try:
                    server = bench.start_ready(entry.peer, "/")
                except (BuildError, StartError) as error:
                    result.missing = str(error)
                    continue
                server.pause()
                turns.append((entry, result, server))
            for number in range(bench.runs):
                for entry, result, server in turns if number % 2 == 0 else reversed(turns):
                    if not result.missing:
                        self._run(bench, entry, result, server)
        finally:
            for _, _, server in turns:
                server.stop()
        for result in results:
            _summarise(result)
        return results

    def _run(self, bench: Bench, entry: Entry, result: Result, server: Server) -> None:
        exchange = PLAINTEXT.at(entry.path) if entry.path else PLAINTEXT
        server.resume()
        try:
            check(server.port, exchange, 1)
            fetch(server.port, "/lag")  # starts the ticker, or forgets what it saw so far
            cpu = accounting.cpu_seconds(server.session)
            busy = accounting.busy_seconds(bench.server_core)
            report = generator.run(
                server.port,
                exchange,
                connections=self.connections,
                depth=self.depth,
                seconds=bench.seconds,
                core=bench.generator_core,
            )
            cpu = accounting.cpu_seconds(server.session) - cpu
            busy = accounting.busy_seconds(bench.server_core) - busy
            result.samples += json.loads(fetch(server.port, "/lag"))
            result.values["server_load"] = cpu / report.seconds
            foreign = max(0.0, (busy - cpu) / report.seconds)
            result.values["foreign"] = max(foreign, result.values.get("foreign", 0.0))
        except (WrongAnswerError, OSError, ValueError, generator.GeneratorError) as error:
            result.missing = f"{type(error).__name__}: {error}"
        finally:
            server.pause()


def _summarise(result: Result) -> None:
    """Fills `values` from the delays of all runs."""
    if not result.samples:
        return
    ordered = sorted(result.samples)
    result.values["lag_ms"] = ordered[int(len(ordered) * 0.99)] * 1000
    result.values["worst_ms"] = ordered[-1] * 1000
    result.values["ticks"] = len(ordered)
    result.samples = []
    if result.values["foreign"] >= FOREIGN_LOAD:
        # The scheduler's slices, not the loop, decide then when a timer runs.
        result.remarks.append(f"void: others used {result.values['foreign']:.0%} of the core")
