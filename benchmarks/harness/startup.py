"""Rows about how long it takes until something runs. Files are in the page cache."""

import os
import subprocess
import time
from dataclasses import dataclass
from statistics import median

from harness.bench import Bench
from harness.builds import BuildError
from harness.load import Entry
from harness.peers import BY_NAME, OURS
from harness.result import Result
from harness.server import StartError, clean_environment

FLOOR = "import asyncio, msgspec"  # what ours cannot do without


@dataclass(frozen=True, slots=True)
class ImportRow:
    """Processor time of the import that programs begin with, over an empty interpreter's."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    metric: str = "import_ms"

    def measure(self, bench: Bench) -> list[Result]:
        results: list[Result] = []
        turns: list[tuple[str, str, Result]] = []
        for entry in self.entries:
            if not bench.is_wanted(entry.peer):
                continue
            statement = BY_NAME[entry.peer].imports
            result = Result(self.name, entry.name, statement)
            results.append(result)
            try:
                python = bench.tool(entry.peer).substitutions["python"]
            except BuildError as error:
                result.missing = str(error)
                continue
            turns.append((python, statement, result))
            if entry.peer == OURS:
                floor = Result(self.name, "floor", FLOOR)
                results.append(floor)
                turns.append((python, FLOOR, floor))
        empty: dict[str, list[float]] = {}
        wall: dict[str, list[float]] = {}
        for number in range(2 * bench.runs + 1):
            for python, statement, result in turns if number % 2 == 0 else reversed(turns):
                nothing, nothing_wall = _time(python, "pass", bench.server_core)
                something, something_wall = _time(python, statement, bench.server_core)
                if number:  # the first round writes bytecode and fills the page cache
                    empty.setdefault(python, []).append(nothing)
                    result.samples.append(something)
                    wall.setdefault(result.subject, []).append(something_wall - nothing_wall)
        for python, _, result in turns:
            result.values["import_ms"] = 1000 * (median(result.samples) - median(empty[python]))
            result.values["wall_ms"] = 1000 * median(wall[result.subject])
        return results


@dataclass(frozen=True, slots=True)
class StartRow:
    """Time from the start of the process to its first 200."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    metric: str = "start_ms"

    def measure(self, bench: Bench) -> list[Result]:
        turns = [
            (entry, Result(self.name, entry.name, entry.label))
            for entry in self.entries
            if bench.is_wanted(entry.peer)
        ]
        everywhere = os.sched_getaffinity(0)
        os.sched_setaffinity(0, [bench.generator_core])
        try:
            for number in range(bench.runs + 1):
                for entry, result in turns if number % 2 == 0 else reversed(turns):
                    if result.missing:
                        continue
                    try:
                        server = bench.start(entry.peer)
                        try:
                            seconds = server.wait_until_ready(pause=0.001)
                        finally:
                            server.stop()
                    except (BuildError, StartError) as error:
                        result.missing = str(error)
                        continue
                    if number:
                        result.samples.append(seconds * 1000)
        finally:
            os.sched_setaffinity(0, everywhere)
        for _, result in turns:
            if result.samples:
                result.values["start_ms"] = median(result.samples)
        return [result for _, result in turns]


def _time(python: str, statement: str, core: int) -> tuple[float, float]:
    """Processor time and wall time, in seconds, of an interpreter that runs one statement."""
    command = ["taskset", "-c", str(core), python, "-c", statement]
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=clean_environment())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - begun
