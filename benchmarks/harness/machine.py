"""What the figures were measured on."""

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.bench import Bench, share_a_core
from harness.peers import BY_NAME, OURS


def describe(bench: Bench) -> dict[str, Any]:
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


def lines(about: Mapping[str, Any]) -> list[str]:
    """What `describe` tells, for people."""
    found = [
        "",
        (
            f"{about['processor']}, {about['cores']} cores, {about['kernel']}; server on core "
            f"{about['server_core']}, generator ({about['generator']}) on core "
            f"{about['generator_core']}; medians of {about['runs']} interleaved runs of "
            f"{about['seconds']:g} s; {about['when']}"
        ),
    ]
    if about["cores_share_silicon"]:
        found.append("The two cores are one piece of silicon: all figures suffer.")
    for name, peer in about["peers"].items():
        versions = [f"{shown} {version}" for shown, version in peer["versions"].items()]
        found.append(f"  {BY_NAME[name].label}: {', '.join([peer['interpreter'], *versions])}")
    found += [f"  {BY_NAME[name].label}: not here, {why}" for name, why in about["missing"].items()]
    return found


def footnote(about: Mapping[str, Any]) -> str:
    """The line below the picture."""
    ours = about["peers"].get(OURS, {"interpreter": "no Kingpost"})["interpreter"]
    return f"{about['processor']}, one core, 64 connections, {ours}, {about['when'][:10]}"


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
