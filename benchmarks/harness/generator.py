"""Runs wrk on a core of its own and reads what it says."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass

from harness.exchange import Exchange
from harness.places import LOAD_SCRIPT

COMPLETED = re.compile(r"(\d+) requests in")
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", re.MULTILINE)
SOCKET_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
STATUS_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)")
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class GeneratorError(Exception):
    """wrk could not run, or answered what cannot be read."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run of wrk."""

    requests: int
    rate: float  # answered requests, a second
    load: float  # of its own core, 0 to 1
    seconds: float
    p50: float  # milliseconds
    p99: float  # milliseconds; of a closed loop, so it says nothing about overload
    errors: int  # answers other than 2xx and 3xx, and connections that broke


def find() -> str | None:
    """The path of wrk, or None."""
    return shutil.which("wrk")


def read(text: str, load: float, seconds: float) -> Report:
    """The report of wrk as a Report. Raises GeneratorError."""
    completed = COMPLETED.search(text)
    rate = RATE.search(text)
    if completed is None or rate is None:
        raise GeneratorError(text.strip()[-300:])
    latencies = {which: float(n) * MILLISECONDS[unit] for which, n, unit in LATENCY.findall(text)}
    broken = SOCKET_ERRORS.search(text)
    refused = STATUS_ERRORS.search(text)
    errors = sum(map(int, broken.groups())) if broken else 0
    errors += int(refused.group(1)) if refused else 0
    return Report(
        requests=int(completed.group(1)),
        rate=float(rate.group(1)),
        load=load,
        seconds=seconds,
        p50=latencies.get("50", 0.0),
        p99=latencies.get("99", 0.0),
        errors=errors,
    )


def run_alone(core: int, *command: str) -> tuple[str, float, float]:
    """Runs a program on a core: what it wrote, how much of the core it took, 0 to 1, and the seconds."""
    with tempfile.TemporaryFile() as output:
        begun = time.monotonic()
        process = subprocess.Popen(
            ("taskset", "-c", str(core), *command), stdout=output, stderr=subprocess.STDOUT
        )
        # wait4 gives the processor time of exactly this child.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.monotonic() - begun
        output.seek(0)
        text = output.read().decode(errors="replace")
    return text, (usage.ru_utime + usage.ru_stime) / elapsed, elapsed


def run(
    port: int,
    exchange: Exchange,
    *,
    connections: int = 64,
    depth: int = 1,
    seconds: float,
    core: int,
    by_tls: bool = False,
) -> Report:
    """Loads a server with one thread of wrk. `seconds` is rounded up to whole ones by wrk."""
    command = [
        *("wrk", "-t1", f"-c{connections}"),
        *(f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "8s", "-s", str(LOAD_SCRIPT)),
        *(
            f"{'https' if by_tls else 'http'}://127.0.0.1:{port}{exchange.path}",
            "--",
            str(depth),
            exchange.method,
        ),
        *(exchange.path, "close" if exchange.close else "keep", exchange.body.decode()),
    ]
    return read(*run_alone(core, *command))
