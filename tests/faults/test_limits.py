"""`--limit NAME=N`: the server keeps to it, at the limit and one past it."""

import os
from pathlib import Path

import pytest

from tests.faults.program import Program, read_all, running

APP = """
from kingpost import App

app = App()

@app.get("/{rest:path}")
async def home(rest: str) -> str:
    return str(len(rest))
"""

LONGEST = 9_000
"""Bytes of a request line; the server's own limit is 8,192."""
FEWEST = 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def status(program: Program, *, line: int = 100, fields: int = 2) -> str:
    """The answer's status to a request whose line has so many bytes, in a head of so many fields."""
    first = "GET /" + "a" * (line - len("GET / HTTP/1.1")) + " HTTP/1.1"
    more = [f"x-{number}: 1" for number in range(fields - 2)]
    with program.connect() as connection:
        head = [first, "host: localhost", "connection: close", *more, "", ""]
        connection.sendall("\r\n".join(head).encode())
        return read_all(connection).split(" ")[1]


@pytest.mark.parametrize(
    "command",
    [
        ("run",),
        ("dev", "--no-reload"),
        pytest.param(("dev",), marks=pytest.mark.skipif(os.name != "posix", reason="forks")),
    ],
    ids=" ".join,
)
def test_the_server_keeps_to_the_limits_that_were_typed(
    folder: Path, command: tuple[str, ...]
) -> None:
    limits = (f"--limit=request_line={LONGEST}", "--limit", f"fields={FEWEST}")

    with running(folder, *command, "--port", "0", *limits) as program:
        assert status(program, line=LONGEST) == "200"
        assert status(program, line=LONGEST + 1) == "414"
        assert status(program, fields=FEWEST) == "200"
        assert status(program, fields=FEWEST + 1) == "431"
