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
from tests.frames import TEXT, closing, frame, handshake
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

APP = """
import asyncio
from kingpost import App, BodyStream, EventStream, Request, WebSocket
from kingpost.channels import Channels
from kingpost.feeds import Feed

news = Feed("news", int, keep=100)
app = App(plugins=[news, Channels()])
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

@app.get("/events")
async def events(request: Request) -> EventStream[int]:
    return news.stream(request)

@app.post("/events")
async def add(number: int) -> str:
    return news.add(number)

@app.websocket("/talk")
async def talk(ws: WebSocket, channels: Channels) -> None:
    async with channels.join("talk", ws):
        async for message in ws:
            await channels.publish("talk", message)

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
    # Each is told in twenty lines.
    "fails": b"GET /fails HTTP/1.1\r\nhost: localhost\r\n\r\n",
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


def follow(port: int) -> None:
    """A follower of events that reads one that is added while it follows, and leaves."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as follower,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as speaker,
    ):
        follower.sendall(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n")
        read_until(follower, b"retry: ")
        speaker.sendall(
            b"POST /events?number=7 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n"
        )
        read_until(speaker, b"\r\n\r\n")
        read_until(follower, b"data: 7")


def talk(port: int) -> None:
    """A WebSocket that joins a channel, is sent what it says there, and says good-bye."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(handshake("/talk") + b"".join(frame(TEXT, b"hello") for _ in range(4)))
        read_until(connection, b"\x81\x05hello" * 4)
        connection.sendall(closing(1000))
        read_until(connection, b"\x88\x02\x03\xe8")
        assert not connection.recv(1)


def read_until(connection: socket.socket, what: bytes) -> None:
    data = b""
    while what not in data:
        piece = connection.recv(1 << 16)
        assert piece, data[-500:]
        data += piece


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
    """Bytes that it has. Those that it shares with its template count as well: to write to one of them makes it a copy, and nothing more."""
    found = re.search(r"VmRSS:\s+(\d+) kB", (process / "status").read_text())
    assert found is not None
    return int(found[1]) << 10


def has(process: Path) -> tuple[int, int]:
    """How many descriptors and threads."""
    return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))


def grew(process: Path, before: int, *, by: int) -> str:
    """What is wrong with the memory of a process; nothing where it has grown by 1 % and `by` bytes at most."""
    now = memory_of(process)
    return "" if now <= before * 1.01 + by else f"{before:,} bytes have become {now:,}"


ROUND = sum(request.count(b" HTTP/1.1\r\n") for request in REQUESTS.values()) + 3
"""Requests of a round: these, and those of a follower and of a WebSocket."""

# As many threads all the time, so that one more is one too many.
SERVE = ("run", "--port", "0", "--workers", "1", "--threads", "2")


@pytest.mark.parametrize(
    ("first", "more", "arena"),
    [
        # An allocator that has just begun takes room in large pieces.
        pytest.param(50, 150, 4 << 20, id="short"),
        # From the first 100,000 requests to 1,000,000 of them (F12).
        pytest.param(100_000 // ROUND, 900_000 // ROUND, 0, id="long", marks=pytest.mark.long),
    ],
)
def test_requests_leave_nothing_behind(tmp_path: Path, first: int, more: int, arena: int) -> None:
    (tmp_path / "app.py").write_text(APP)
    with running(tmp_path, *SERVE) as program:
        program.until_said("is ready on")
        process = worker_of(program)

        def ask_all(rounds: int) -> None:
            for begin in range(0, rounds, 100):
                count = min(100, rounds - begin)
                for request in REQUESTS.values():
                    ask(program.port, request, count)
                for _ in range(count):
                    follow(program.port)
                    talk(program.port)

        ask_all(first)
        program.until(lambda: program.body("/counts") == "[0,0]")
        before, had = memory_of(process), has(process)
        ask_all(more)

        program.until(lambda: has(process) == had)
        assert not grew(process, before, by=arena)
        program.signal(signal.SIGTERM)
        assert program.end() == 0


@pytest.mark.parametrize(
    ("first", "times", "arena"),
    [
        pytest.param(50, 200, 4 << 20, id="short"),
        pytest.param(2_000, 20_000, 0, id="long", marks=pytest.mark.long),
    ],
)
def test_of_clients_that_vanish_each_handler_learns_and_nothing_is_left(
    tmp_path: Path, first: int, times: int, arena: int
) -> None:
    (tmp_path / "app.py").write_text(APP)
    with running(tmp_path, *SERVE) as program:
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

        vanish_all(first)
        program.until(is_settled)
        before, had = memory_of(process), has(process)
        vanish_all(times)
        program.until(is_settled)

        program.until(lambda: has(process) == had)
        assert not grew(process, before, by=arena)
        assert "Traceback" not in program.said
