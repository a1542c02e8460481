"""The command line."""

import argparse
import math
import resource
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import goals, machine, picture, record, report
from harness.bench import Bench, choose_cores
from harness.builds import BuildError
from harness.peers import BY_NAME as PEERS
from harness.peers import OURS, is_ours
from harness.places import PICTURE
from harness.record import Record
from harness.result import Result
from harness.rows import BY_NAME as ROWS

NEEDED_FILES = 12_000  # descriptors that the idle rows hold on each side


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the bench. Exit status: 0 measured, 2 where this system cannot measure."""
    given = _parser().parse_args(arguments)
    if given.list:
        _list()
        return 0
    if given.again:
        return _again(given)
    why_not = _unable()
    if why_not:
        print(why_not, file=sys.stderr)
        return 2
    _raise_file_limit()
    bench = _bench(given)
    results: dict[tuple[str, str], Result] = {}
    rows = given.rows or list(ROWS)
    try:
        _build(bench, rows)
        print(f"about {_minutes(bench, rows)} minutes", flush=True)
        for name in rows:
            if sys.stderr.isatty():
                print(f"… {ROWS[name].title}", end="", flush=True, file=sys.stderr)
            found = ROWS[name].measure(bench)
            if sys.stderr.isatty():
                print("\r\033[K", end="", flush=True, file=sys.stderr)
            results.update({(result.row, result.subject): result for result in found})
            print("\n".join(report.row_lines(ROWS[name], found)), flush=True)
    except KeyboardInterrupt:
        print("\ninterrupted; what was measured so far:", flush=True)
    _conclude(given, Record(machine.describe(bench), results))
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
        "--from",
        dest="again",
        type=Path,
        metavar="FILE",
        help="measure nothing: print, and draw, what --json wrote",
    )
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


def _again(given: argparse.Namespace) -> int:
    found = record.read(given.again)
    for name in given.rows or ROWS:
        results = [result for (row, _), result in found.results.items() if row == name]
        if results:
            print("\n".join(report.row_lines(ROWS[name], results)))
    _conclude(given, found)
    return 0


def _conclude(given: argparse.Namespace, found: Record) -> None:
    verdicts = [goals.judge(goal, found.results) for goal in goals.goals(_version(found.machine))]
    if any(is_ours(subject) for _, subject in found.results):
        print("\n".join(report.goal_lines(verdicts)))
    print("\n".join(machine.lines(found.machine)))
    if given.json:
        record.write(given.json, found, verdicts)
    if given.picture:
        PICTURE.write_text(picture.draw(found.results, machine.footnote(found.machine)))


def _version(about: Mapping[str, Any]) -> tuple[int, int]:
    """The version of Python that ours ran on."""
    if OURS not in about["peers"]:
        return sys.version_info[:2]
    major, minor, *_ = about["peers"][OURS]["interpreter"].rpartition(" ")[2].split(".")
    return int(major), int(minor)
