"""Other people's servers with the program of this folder, each in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from tests.ports import free_port
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[3]
PROGRAM = "tests.conformance.hosts.program"

Command = tuple[str, ...]
"""A module, and its arguments; `{port}` stands for the port."""

ASGI: dict[str, Command] = {
    "uvicorn": (
        "uvicorn",
        f"{PROGRAM}:app",
        "--host=127.0.0.1",
        "--port={port}",
        "--log-level=warning",
    ),
    "hypercorn": ("hypercorn", f"{PROGRAM}:app", "--bind=127.0.0.1:{port}"),
    "granian": (
        "granian",
        f"{PROGRAM}:app",
        "--interface=asgi",
        "--host=127.0.0.1",
        "--port={port}",
    ),
}

WSGI: dict[str, Command] = {
    "gunicorn": (
        "gunicorn",
        f"{PROGRAM}:application",
        "--worker-class=gthread",
        "--threads=8",
        # It is one for all gunicorns of a user.
        "--no-control-socket",
        "--bind=127.0.0.1:{port}",
    ),
    "wsgiref": ("tests.conformance.hosts.simple", "{port}"),
}


class Server(NamedTuple):
    """One that runs."""

    name: str
    port: int
    notes: Path

    def noted(self) -> list[str]:
        """What the program has told."""
        return self.notes.read_text("utf-8").split() if self.notes.exists() else []


@contextlib.contextmanager
def running(name: str, command: Command, folder: Path) -> Generator[Server]:
    """Runs a server until the block is left, and stops it as an operator would."""
    port = free_port()
    notes, log = folder / f"{name}.notes", folder / f"{name}.log"
    environment = {
        **os.environ,
        "KINGPOST_TEST_NOTES": str(notes),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "python")]),
    }
    module, *arguments = command
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - programs of the test environment
            [sys.executable, "-m", module, *(each.format(port=port) for each in arguments)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            until(
                lambda: process.poll() is not None or answers(port),
                shows=lambda: log.read_text("utf-8"),
            )
            assert process.poll() is None, log.read_text("utf-8")
            yield Server(name, port, notes)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def answers(port: int) -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
