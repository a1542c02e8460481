"""`breakpoint()` under `kingpost dev`: the prompt works, in the terminal, with reload on."""

import codecs
import contextlib
import os
import re
import select
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.program import children_of
from tests.saving import save
from tests.waiting import PATIENCE, until

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
        # What is read may end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execv(  # noqa: S606 - our own interpreter
                sys.executable, [sys.executable, "-P", "-m", "kingpost.cli", *arguments]
            )

    def until(self, pattern: str) -> re.Match[str]:
        until(lambda: self._read() or re.search(pattern, self.screen), shows=lambda: self.screen)
        found = re.search(pattern, self.screen)
        assert found is not None
        return found

    def _read(self) -> None:
        """Takes what has come since."""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                data = os.read(self.fd, 4096)
            except OSError:  # nobody writes any more
                return
            if not data:
                return
            self.screen += self._decoder.decode(data)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def end(self) -> int:
        ended = 0, 0

        def is_ended() -> bool:
            nonlocal ended
            self._read()
            ended = os.waitpid(self.pid, os.WNOHANG)
            return bool(ended[0])

        until(is_ended, shows=lambda: self.screen)
        self._read()
        return os.waitstatus_to_exitcode(ended[1])


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
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
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
        save(file, APP.format(kind=kind).replace("version 1", "version 2"))
        screen.until("reloaded in")
        # The old worker may take one more connection while it hears that it is replaced.
        until(lambda: get(port, "/version") == "version 2")
        screen.type("answer = 7\n")
        screen.type("c\n")
        asking.join(PATIENCE)
        # pdb's "continue" makes Ctrl-C interrupt the program that it has debugged, so that has to be gone.
        until(lambda: len(children_of(screen.pid)) == 1)
        screen.type("\x03")

        assert screen.end() == 0
    assert answers == ["the answer is 7"]
    assert "blocks the event loop" not in screen.screen
