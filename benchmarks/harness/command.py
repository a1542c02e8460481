"""The command line."""

import argparse
import json
import math
import resource
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from harness import goals, machine, picture, report
from harness.bench import Bench, choose_cores
from harness.builds import BuildError, Tool
from harness.peers import BY_NAME as PEERS
from harness.peers import OURS
from harness.places import PICTURE
from harness.result import Result
from harness.rows import BY_NAME as ROWS

NEEDED_FILES = 12_000  # descriptors that the idle rows hold on each side


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the bench. Exit status: 0 measured, 2 where this system cannot measure."""
    given = _parser().parse_args(arguments)
    if given.list:
        _list()
        return 0
    why_not = _unable()
    if why_not:
        print(why_not, file=sys.stderr)
        return 2
    _raise_file_limit()
    bench = _bench(given)
    results: dict[tuple[str, str], Result] = {}
    try:
        _build(bench, given.rows or list(ROWS))
        print(f"about {_minutes(bench, given.rows or list(ROWS))} minutes", flush=True)
        for name in given.rows or ROWS:
            row = ROWS[name]
            if sys.stderr.isatty():
                print(f"… {row.title}", end="", flush=True, file=sys.stderr)
            found = row.measure(bench)
            if sys.stderr.isatty():
                print("\r\033[K", end="", flush=True, file=sys.stderr)
            results.update({(result.row, result.subject): result for result in found})
            print("\n".join(report.row_lines(row, found)), flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted; what was measured so far:", flush=True)
    _conclude(bench, given, results)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 runs of 1 s instead of 5 of 2 s")
    parser.add_argument("--rows", nargs="+", metavar="NAME", choices=list(ROWS), help="only these")
    parser.add_argument("--peers", nargs="+", metavar="NAME", choices=list(PEERS), default=[])
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each subject")
    parser.add_argument("--seconds", type=float, metavar="S", help="length of one run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("--picture", action="store_true", help=f"draw {PICTURE.name} anew")
    parser.add_argument(
        "--python",
        type=Path,
        default=Path(sys.executable),
        metavar="PATH",
        help="the interpreter of Kingpost and of all peers but Japronto",
    )
    parser.add_argument("--port", type=int, default=23000, help="first port to try")
    parser.add_argument("--list", action="store_true", help="name the rows and the peers")
    return parser


def _list() -> None:
    for row in ROWS.values():
        print(f"{row.name:<12} {row.title}")
    print()
    for peer in PEERS.values():
        print(f"{peer.name:<17} {peer.label}")


def _unable() -> str:
    if not sys.platform.startswith("linux"):
        return "bench: processor time is read from /proc, so this runs on Linux only"
    if shutil.which("wrk") is None:
        return "bench: the load generator wrk is missing; on Debian and Ubuntu: apt install wrk"
    if shutil.which("taskset") is None:
        return "bench: taskset is missing; on Debian and Ubuntu: apt install util-linux"
    return ""


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, NEEDED_FILES) if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bench(given: argparse.Namespace) -> Bench:
    server_core, generator_core = choose_cores()
    runs, seconds, warm_up = (2, 1.0, 1.0) if given.quick else (5, 2.0, 2.0)
    return Bench(
        interpreter=given.python,
        server_core=server_core,
        generator_core=generator_core,
        runs=given.runs or runs,
        seconds=given.seconds or seconds,
        warm_up=warm_up,
        first_port=given.port,
        wanted=frozenset(given.peers),
    )


def _build(bench: Bench, rows: Sequence[str]) -> None:
    """Everything is built before anything is measured: a compiler beside it spoils a row."""
    names = dict.fromkeys(entry.peer for row in rows for entry in ROWS[row].entries)
    for name in names:
        if bench.is_wanted(name):
            try:
                bench.tool(name)
            except BuildError as error:
                print(f"  {PEERS[name].label}: {error}", flush=True)


def _minutes(bench: Bench, rows: Sequence[str]) -> int:
    """What the rows will take, roughly, and at least 1."""
    subjects = sum(bench.is_wanted(entry.peer) for row in rows for entry in ROWS[row].entries)
    return math.ceil(subjects * (1.5 + bench.warm_up + bench.runs * (bench.seconds + 0.4)) / 60)


def _conclude(
    bench: Bench, given: argparse.Namespace, results: dict[tuple[str, str], Result]
) -> None:
    version = _version(bench.tools.get(OURS))
    verdicts = [goals.judge(goal, results) for goal in goals.goals(version)]
    if any(subject.partition("/")[0] == OURS for _, subject in results):
        print("\n".join(report.goal_lines(verdicts)))
    print("\n".join(machine.lines(bench)))
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        written = {
            "machine": machine.describe(bench),
            "goals": [
                {
                    "goal": verdict.goal.text,
                    "row": verdict.goal.row,
                    "bound": verdict.goal.bound,
                    "value": verdict.value,
                    "met": verdict.is_met if verdict.value is not None else None,
                    "why": verdict.why,
                }
                for verdict in verdicts
            ],
            "results": [result.as_json() for result in results.values()],
        }
        given.json.write_text(json.dumps(written, indent=1) + "\n")
    if given.picture:
        about = machine.describe(bench)
        footnote = f"{about['processor']}, one core, 64 connections; ./dev bench measures it anew"
        PICTURE.write_text(picture.draw(results, footnote))


def _version(tool: Tool | None) -> tuple[int, int]:
    if tool is None:
        return sys.version_info[:2]
    major, minor, *_ = tool.interpreter.rpartition(" ")[2].split(".")
    return int(major), int(minor)
