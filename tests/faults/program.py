"""`kingpost` as a process, and what tests ask of it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import PATIENCE, is_refused, until

GET = "GET {} HTTP/1.1\r\nhost: localhost\r\naccept: {}\r\nconnection: close\r\n\r\n"


class Program:
    """A running command; what it writes is read all the time."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        environment: dict[str, str] | None = None,
        under: Sequence[str] = (),
        descriptors: Sequence[int] = (),
    ) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-P", *under, "-m", "kingpost.cli", *arguments],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            pass_fds=descriptors,
            # A group of its own, as a terminal gives one to each command.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def until(
        self, condition: Callable[[], object], seconds: float = PATIENCE, *, pause: float = 0.02
    ) -> None:
        """Waits until something is so, looking after every `pause` seconds."""
        until(condition, seconds, pause=pause, shows=lambda: self.said)

    def until_said(self, pattern: str) -> re.Match[str]:
        """Waits until a line says something."""
        self.until(lambda: re.search(pattern, self.said) or self.process.poll() is not None)
        if self.process.poll() is not None:
            # What it said last may not have been read yet.
            self._reader.join(PATIENCE)
        found = re.search(pattern, self.said)
        assert found is not None, self.said
        return found

    @property
    def port(self) -> int:
        return int(self.until_said(r"https?://127\.0\.0\.1:(\d+)").group(1))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def is_refusing(self) -> bool:
        """Whether new connections are refused."""
        return is_refused(self.connect)

    def get(self, path: str = "/", accept: str = "*/*") -> str:
        """Head and body of the answer to a request on a connection of its own."""
        with self.connect() as connection:
            connection.sendall(GET.format(path, accept).encode())
            return read_all(connection)

    def body(self, path: str = "/", accept: str = "*/*") -> str:
        return self.get(path, accept).partition("\r\n\r\n")[2]

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        """Sends a signal to the process, or to its group, as a terminal does on Ctrl-C."""
        (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self, seconds: float = PATIENCE) -> int:
        """Waits for its end; returns its exit status."""
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        return status


@contextmanager
def running(
    folder: Path,
    *arguments: str,
    environment: dict[str, str] | None = None,
    under: Sequence[str] = (),
    descriptors: Sequence[int] = (),
) -> Generator[Program]:
    """A program that is gone after the block, whatever happens.

    Args:
        folder: Where it runs.
        arguments: Of `kingpost`.
        environment: Variables beside those of this process.
        under: The command of a tool that runs it.
        descriptors: What it inherits beside its input and outputs, under the same numbers.
    """
    program = Program(
        folder, *arguments, environment=environment, under=under, descriptors=descriptors
    )
    try:
        yield program
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.process.pid, signal.SIGKILL)
        program.end()
        assert program.process.stdout is not None
        program.process.stdout.close()


def read_all(connection: socket.socket) -> str:
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data.decode()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan whose new parent does not collect it is dead all the same.
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def children_of(pid: int) -> list[int]:
    """Processes that `pid` has started."""
    return [child for child, parent in _parents() if parent == pid]


def _parents() -> Generator[tuple[int, int]]:
    """Each process with its parent."""
    if Path("/proc/self/stat").exists():
        # A small system has no ps.
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                # Behind the name, which may hold anything: state, parent.
                yield int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])
        return
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="],  # noqa: S607 - found on PATH, as everywhere
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in listed.splitlines():
        child, parent = line.split()
        yield int(child), int(parent)
