"""Running other programs, and saying what is going on."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Failure(Exception):
    """A command cannot go on: the message says why, and what to do."""


def say(text: str) -> None:
    """Tell the person what happens now, before the output of what happens."""
    print(f"dev: {text}", flush=True)


def run(*command: str | Path, env: Mapping[str, str] | None = None, quiet: bool = False) -> None:
    """Run a program in the project's folder and wait for it.

    With `quiet` its output is shown only if it fails.

    Raises:
        Failure: it is not there, or it ended with an error.
    """
    if (status := attempt(*command, env=env, quiet=quiet)) != 0:
        raise Failure(f"this ended with status {status}: {shlex.join(map(str, command))}")


def attempt(*command: str | Path, env: Mapping[str, str] | None = None, quiet: bool = False) -> int:
    """As `run`, and return the exit status instead of raising; 127 if the program is not there."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            check=False,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
        )
    except FileNotFoundError:
        return 127
    if quiet and done.returncode != 0:
        sys.stdout.write(done.stdout)
        sys.stdout.flush()
    return done.returncode


def ask(
    *command: str | Path, env: Mapping[str, str] | None = None, good: tuple[int, ...] = (0,)
) -> str | None:
    """Return what a program prints, stripped, or None if it is not there or ends not `good`."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            check=False,
            text=True,
            errors="replace",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode in good else None
