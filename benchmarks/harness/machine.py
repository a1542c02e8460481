"""What the figures were measured on."""

import os
import platform
import subprocess
import time
from pathlib import Path

from harness.bench import Bench, share_a_core
from harness.peers import BY_NAME


def describe(bench: Bench) -> dict[str, object]:
    """The machine and every interpreter and version that took part."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "cores_share_silicon": share_a_core(bench.server_core, bench.generator_core),
        "kernel": f"{platform.system()} {platform.release()}",
        "server_core": bench.server_core,
        "generator_core": bench.generator_core,
        "generator": _first_line(["wrk", "-v"]),
        "runs": bench.runs,
        "seconds": bench.seconds,
        "peers": {
            name: {
                "interpreter": tool.interpreter,
                "versions": {
                    shown: tool.versions[shown]
                    for shown in BY_NAME[name].shows
                    if shown in tool.versions
                },
            }
            for name, tool in bench.tools.items()
        },
        "missing": dict(bench.missing),
    }


def lines(bench: Bench) -> list[str]:
    """The same for people."""
    about = describe(bench)
    found = [
        "",
        (
            f"{about['processor']}, {about['cores']} cores, {about['kernel']}; server on core "
            f"{bench.server_core}, generator ({about['generator']}) on core "
            f"{bench.generator_core}; medians of {bench.runs} interleaved runs of "
            f"{bench.seconds:g} s"
        ),
    ]
    if about["cores_share_silicon"]:
        found.append("The two cores are one piece of silicon: all figures suffer.")
    for name, tool in bench.tools.items():
        versions = [
            f"{shown} {tool.versions[shown]}"
            for shown in BY_NAME[name].shows
            if shown in tool.versions
        ]
        found.append(f"  {BY_NAME[name].label}: {', '.join([tool.interpreter, *versions])}")
    found += [f"  {BY_NAME[name].label}: not here, {why}" for name, why in bench.missing.items()]
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    for line in text.splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "none"
    said = (done.stdout or done.stderr).strip().splitlines()
    return said[0].split(" [")[0] if said else "unknown"
