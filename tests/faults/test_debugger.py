"""`breakpoint()` under `kingpost dev`: the prompt works, in the terminal, with reload on."""

import contextlib
import os
import re
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.program import children_of
from tests.waiting import until

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")

APP = """
from kingpost import App

app = App()

@app.get("/")
{kind}def home() -> str:
    answer = 41
    breakpoint()
    return f"the answer is {{answer}}"

@app.get("/version")
async def version() -> str:
    return "version 1"
"""


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.screen = ""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execv(  # noqa: S606 - our own interpreter
                sys.executable, [sys.executable, "-P", "-m", "kingpost.cli", *arguments]
            )

    def until(self, pattern: str, seconds: float = 15) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.screen)) is None:
            assert time.monotonic() < deadline, self.screen
            if select.select([self.fd], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    self.screen += os.read(self.fd, 4096).decode()
        return found

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def end(self, seconds: float = 15) -> int:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if select.select([self.fd], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    self.screen += os.read(self.fd, 4096).decode()
        raise AssertionError(self.screen)


@contextmanager
def terminal(folder: Path, *arguments: str) -> Generator[Terminal]:
    opened = Terminal(folder, *arguments)
    try:
        yield opened
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(opened.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(opened.pid, 0)
        os.close(opened.fd)


def get(port: int, path: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        data = b""
        while piece := connection.recv(65536):
            data += piece
    return data.decode().partition("\r\n\r\n")[2]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("kind", ["", "async "])
def test_a_breakpoint_opens_a_prompt_in_the_handler_and_outlives_a_reload(
    tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "app.py"
    file.write_text(APP.format(kind=kind))
    answers: list[str] = []
    with terminal(tmp_path, "dev", "--port", "0") as screen:
        port = int(screen.until(r"http://127\.0\.0\.1:(\d+)").group(1))
        asking = threading.Thread(target=lambda: answers.append(get(port, "/")))
        asking.start()
        screen.until(r"\(Pdb\)")
        screen.type("answer + 1\n")
        screen.until(r"\n42\r")
        file.write_text(APP.format(kind=kind).replace("version 1", "version 2"))
        screen.until("reloaded in")
        # The old worker may take one more connection while it hears that it is replaced.
        until(lambda: get(port, "/version") == "version 2")
        screen.type("answer = 7\n")
        screen.type("c\n")
        asking.join(15)
        # pdb's "continue" makes Ctrl-C interrupt the program that it has debugged, so that has to be gone.
        until(lambda: len(children_of(screen.pid)) == 1)
        screen.type("\x03")

        assert screen.end() == 0
    assert answers == ["the answer is 7"]
    assert "blocks the event loop" not in screen.screen
