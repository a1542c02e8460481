"""Rows about how late the loop calls its timers while HTTP saturates it."""

import json
from dataclasses import dataclass

from harness import accounting, generator
from harness.bench import Bench
from harness.builds import BuildError
from harness.checker import WrongAnswerError, check, fetch
from harness.exchange import PLAINTEXT
from harness.load import Entry
from harness.result import Result
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
                fetch(server.port, "/lag")
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
            if result.samples:
                ordered = sorted(result.samples)
                result.values["lag_ms"] = ordered[int(len(ordered) * 0.99)] * 1000
                result.values["worst_ms"] = ordered[-1] * 1000
                result.values["ticks"] = len(ordered)
                result.samples = []
        return results

    def _run(self, bench: Bench, entry: Entry, result: Result, server: Server) -> None:
        exchange = PLAINTEXT.at(entry.path) if entry.path else PLAINTEXT
        server.resume()
        try:
            check(server.port, exchange, 1)
            fetch(server.port, "/lag")
            cpu = accounting.cpu_seconds(server.session)
            report = generator.run(
                server.port,
                exchange,
                connections=self.connections,
                depth=self.depth,
                seconds=bench.seconds,
                core=bench.generator_core,
            )
            cpu = accounting.cpu_seconds(server.session) - cpu
            result.samples += json.loads(fetch(server.port, "/lag"))
            result.values["server_load"] = cpu / report.seconds
        except (WrongAnswerError, OSError, ValueError, generator.GeneratorError) as error:
            result.missing = f"{type(error).__name__}: {error}"
        finally:
            server.pause()
