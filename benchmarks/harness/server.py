"""Starts, pauses and stops one server."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import accounting
from harness.checker import WrongAnswerError, fetch
from harness.places import APPS, LOGS, STATIC_FILES

START_TIMEOUT = 40.0  # seconds until the first 200


class StartError(Exception):
    """A server did not come up; the text is the end of its log."""


def clean_environment() -> dict[str, str]:
    """The environment of every server: bytecode caching on, our applications importable, the folder of files named."""
    environment = dict(os.environ, PYTHONPATH=str(APPS), BENCH_STATIC=str(STATIC_FILES))
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PORT"):
        environment.pop(name, None)
    return environment


def free_port(first: int) -> int:
    """The first port from `first` on that nothing listens on."""
    for port in range(first, first + 90):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StartError(f"no free port from {first} on")


class Server:
    """A server process tree in a session of its own, pinned to `cores`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        port: int,
        cores: Sequence[int],
        variables: Mapping[str, str] | None = None,
        *,
        by_tls: bool = False,
    ) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.port = port
        self.by_tls = by_tls
        self.log = LOGS / f"{name}.log"
        pinned = ["taskset", "-c", ",".join(map(str, cores)), *command]
        self.started = time.monotonic()
        with Path(self.log).open("wb") as log:
            self.process = subprocess.Popen(
                pinned,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=clean_environment() | dict(variables or {}),
                cwd=APPS,
                start_new_session=True,
            )
        self.session = self.process.pid

    def wait_until_ready(self, path: str = "/", pause: float = 0.02) -> float:
        """Seconds from the start of the process to the first 200. Raises StartError."""
        while time.monotonic() - self.started < START_TIMEOUT:
            if self.process.poll() is not None:
                raise StartError(self.why())
            try:
                fetch(self.port, path, by_tls=self.by_tls)
            except (OSError, WrongAnswerError):
                time.sleep(pause)
                continue
            return time.monotonic() - self.started
        raise StartError(f"no answer in {START_TIMEOUT:.0f} s: {self.why()}")

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def pause(self) -> None:
        """Keeps it from using a core while others are measured (some poll when idle)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)
        time.sleep(0.05)

    def stop(self) -> None:
        """Ends every process of the session, asking first."""
        self.resume()
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + 4
        while accounting.members(self.session) and time.monotonic() < deadline:
            self.process.poll()
            time.sleep(0.02)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        for pid in accounting.members(self.session):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def why(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else f"exit status {self.process.poll()}, nothing logged"
