"""What tests ask of `kingpost run --workers` beside its answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.faults.program import Program, children_of, is_alive
from tests.waiting import PATIENCE


def workers_of(program: Program) -> list[int]:
    """The workers' processes: children of a template, which is a child of the supervisor."""
    return [
        pid
        for parent in children_of(program.process.pid)
        for pid in children_of(parent)
        if is_alive(pid)
    ]


def templates_of(program: Program) -> list[int]:
    """What the supervisor has started."""
    return [pid for pid in children_of(program.process.pid) if is_alive(pid)]


def reload(folder: Path) -> subprocess.CompletedProcess[str]:
    """`kingpost reload`, to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "kingpost.cli", "reload", "--control", "control.sock"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
