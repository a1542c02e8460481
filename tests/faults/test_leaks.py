"""What requests leave behind in a worker: no memory, no descriptor, no thread (F12); and clients that vanish (F17)."""

from __future__ import annotations

import re
import signal
import socket
import struct
import sys
from pathlib import Path

import pytest

from tests.faults.program import Program, children_of, running
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

APP = """
import asyncio
from contextlib import asynccontextmanager
from kingpost import App, BodyStream

app = App()
left = cancelled = 0

@app.get("/json")
async def json(number: int) -> dict[str, int]:
    return {"number": number}

@app.get("/thread")
def thread() -> str:
    return "here"

@app.get("/fails")
async def fails() -> str:
    raise RuntimeError("on purpose")

@app.post("/upload")
async def upload(body: BodyStream) -> int:
    return sum([len(piece) async for piece in body])

@app.get("/waits")
async def waits() -> str:
    global left, cancelled
    left += 1
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        cancelled += 1
        raise
    return ""

@app.get("/streams")
async def streams():
    global left, cancelled
    left += 1
    try:
        while True:
            yield "x" * 10_000
            await asyncio.sleep(0)
    finally:
        cancelled += 1

@app.get("/counts")
async def counts() -> list[int]:
    return [left, cancelled]
"""

DEEP = 16
MIX = [
    b"GET /json?number=%d HTTP/1.1\r\nhost: localhost\r\n\r\n" % number for number in range(DEEP)
]
REQUESTS = {
    "json": b"".join(MIX),
    "thread": b"GET /thread HTTP/1.1\r\nhost: localhost\r\n\r\n" * DEEP,
    "fails": b"GET /fails HTTP/1.1\r\nhost: localhost\r\n\r\n" * DEEP,
    "upload": b"POST /upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 20000\r\n\r\n"
    + bytes(20_000),
    "unknown": b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n" * DEEP,
}


def ask(port: int, request: bytes, times: int) -> None:
    """Sends what `REQUESTS` has, and reads as many answers, again and again."""
    count = request.count(b" HTTP/1.1\r\n")
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        for _ in range(times):
            connection.sendall(request)
            data = b""
            while data.count(b"HTTP/1.1 ") < count or not is_whole(data):
                piece = connection.recv(1 << 18)
                assert piece, data[-500:]
                data += piece


def is_whole(data: bytes) -> bool:
    head, _, body = data[data.rindex(b"HTTP/1.1 ") :].partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return length is not None and len(body) >= int(length[1])


def vanish(port: int, request: bytes, after: int) -> None:
    """A client that is gone without a goodbye: the connection is reset."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(request)
        if after:
            assert connection.recv(after)


def worker_of(program: Program) -> Path:
    ((pid,),) = [children_of(parent) for parent in children_of(program.process.pid)]
    return Path(f"/proc/{pid}")


def memory_of(process: Path) -> int:
    """Bytes that are its own."""
    rollup = (process / "smaps_rollup").read_text()
    return sum(int(found) << 10 for found in re.findall(r"Private_\w+: +(\d+) kB", rollup))


def has(process: Path) -> tuple[int, int]:
    """How many descriptors and threads."""
    return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))


@pytest.mark.parametrize(
    "times", [50, pytest.param(5_000, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_requests_leave_nothing_behind(tmp_path: Path, times: int) -> None:
    (tmp_path / "app.py").write_text(APP)
    with running(tmp_path, "run", "--port", "0", "--workers", "1") as program:
        program.until_said("is ready on")
        process = worker_of(program)

        def ask_all(times: int) -> None:
            for request in REQUESTS.values():
                ask(program.port, request, times)

        # Pools, caches and threads come with the first ones.
        ask_all(100)
        program.until(lambda: program.body("/counts") == "[0,0]")
        before, had = memory_of(process), has(process)
        ask_all(times * 4)

        program.until(lambda: has(process) == had)
        # One per cent, and what an allocator's arena may move.
        assert memory_of(process) < before * 1.01 + (1 << 20), (before, memory_of(process))
        program.signal(signal.SIGTERM)
        assert program.end() == 0


@pytest.mark.parametrize(
    "times", [200, pytest.param(20_000, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_of_clients_that_vanish_each_handler_learns_and_nothing_is_left(
    tmp_path: Path, times: int
) -> None:
    (tmp_path / "app.py").write_text(APP)
    with running(tmp_path, "run", "--port", "0", "--workers", "1") as program:
        program.until_said("is ready on")
        process = worker_of(program)

        def vanish_all(times: int) -> None:
            for number in range(times):
                vanish(program.port, b"GET /waits HTTP/1.1\r\nhost: a\r\n\r\n", 0)
                vanish(program.port, b"GET /streams HTTP/1.1\r\nhost: a\r\n\r\n", 1 + number * 97)
                vanish(program.port, REQUESTS["upload"][: 50 + number * 89 % 20_000], 0)

        def is_settled() -> bool:
            left, cancelled = program.body("/counts").strip("[]").split(",")
            return left == cancelled

        vanish_all(50)
        program.until(is_settled)
        before, had = memory_of(process), has(process)
        vanish_all(times)
        program.until(is_settled)

        program.until(lambda: has(process) <= had)
        assert memory_of(process) < before * 1.01 + (1 << 20), (before, memory_of(process))
        assert "Traceback" not in program.said
