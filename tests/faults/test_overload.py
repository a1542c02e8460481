"""Twice as many requests as can be answered (F16), no descriptors left (F6), and clients that are slow (F5)."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.ledger import answer_of
from tests.faults.open_loop import OpenLoop
from tests.faults.program import Program, children_of, running
from tests.needs import need
from tests.waiting import PATIENCE

if sys.platform == "linux":
    import resource

APP = """
import time
from kingpost import App
from kingpost.checks import Health

app = App(plugins=[Health()])

@app.get("/")
async def work() -> str:
    # The loop does nothing else meanwhile, as where it computes.
    time.sleep({})
    return "done"

@app.get("/quick")
async def quick() -> str:
    return "done"

@app.get("/large")
async def large() -> bytes:
    return bytes(20_000_000)

@app.post("/body")
async def body(body: dict[str, int]) -> int:
    return len(body)
"""
LOG = logging.getLogger(__name__)
GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"

posix = pytest.mark.skipif(sys.platform == "win32", reason="workers are forked")
linux = pytest.mark.skipif(sys.platform != "linux", reason="prlimit and /proc")


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def status_of(answer: str) -> int:
    return int(answer.split(" ", 2)[1])


@posix
def test_who_would_wait_too_long_is_turned_away_and_the_others_are_served(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(0.05))
    arguments = ("run", "--port", "0", "--workers", "1", "--limit", "queue_delay=50")
    with running(tmp_path, *arguments) as program:
        program.until_said("is ready on")
        # The last of them would wait for three seconds.
        clients = [connect(program.port) for _ in range(60)]
        for client in clients:
            client.sendall(GET)
        program.until_said("limit `queue_delay`")
        assert '"ok"' in program.body("/livez")

        answers = [answer_of(client) for client in clients]
        refused = [answer for answer in answers if status_of(answer) == 503]
        served = [answer for answer in answers if status_of(answer) == 200]
        assert len(refused) + len(served) == 60
        assert refused
        assert len(served) >= 16
        assert status_of(answers[0]) == 200
        assert all("retry-after: 1\r\n" in answer for answer in refused)
        assert all('"code":"server.overloaded"' in answer for answer in refused)
        assert not any("connection: close" in answer for answer in refused)
        # It is over: all are served on the connections that they have.
        for client in clients:
            client.sendall(GET.replace(b"/", b"/quick", 1))
            assert status_of(answer_of(client)) == 200
            client.close()
        program.signal(signal.SIGTERM)
        assert program.end() == 0


@posix
@pytest.mark.long
@pytest.mark.parametrize("delay", [50, 500])
def test_at_twice_the_peak_nearly_as_much_is_served(tmp_path: Path, delay: int) -> None:
    (tmp_path / "app.py").write_text(APP.format(0.004))
    arguments = ("run", "--port", "0", "--workers", "1", "--limit", f"queue_delay={delay}")
    with ExitStack() as stack:
        program = stack.enter_context(running(tmp_path, *arguments))
        program.until_said("is ready on")
        load = stack.enter_context(OpenLoop(program.port))
        peak = load.run_closed(8, 5)
        outcome = load.run(2 * peak, 20)
        goodput = outcome.count(200, since=5) / 15
        told = (
            f"peak {peak:.0f}/s, at twice that {goodput:.0f}/s; {outcome.count(503)} turned away; seconds for half and 99 % of"
            f" them {outcome.took(503, 0.5, 5):.3f} {outcome.took(503, 0.99, 5):.3f}, of those who were served"
            f" {outcome.took(200, 0.5, 5):.3f} {outcome.took(200, 0.99, 5):.3f}; held up {outcome.held_up:.3f}"
        )
        LOG.info(told)
        assert set(outcome.answered) == {200, 503}, told
        assert outcome.failed == 0, told
        assert goodput >= 0.9 * peak, told
        # At the door, not after the wait.
        assert outcome.took(503, 0.5, 5) < outcome.took(200, 0.5, 5), told
        after = load.run(peak / 2, 10)
        assert after.count(503, since=2) == 0, told


FEW = 256
"""Descriptors of a worker."""


@pytest.fixture
def many_descriptors() -> Iterator[int]:
    """As many descriptors as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def workers_of(program: Program) -> list[int]:
    return sorted(pid for parent in children_of(program.process.pid) for pid in children_of(parent))


def processor_time(pid: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@linux
@pytest.mark.usefixtures("many_descriptors")
def test_workers_without_descriptors_wait_and_go_on_when_there_are_some(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(0))
    patient = ("--limit", "head_timeout=600000", "--limit", "idle_timeout=600000")
    with running(tmp_path, "run", "--port", "0", "--workers", "2", *patient) as program:
        program.until_said("is ready on")
        program.until(lambda: len(workers_of(program)) == 2)
        workers = workers_of(program)
        for pid in workers:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (FEW, FEW))
        begun = time.monotonic()
        clients = {connect(program.port) for _ in range(1_000)}
        for client in clients:
            client.sendall(GET)

        def lines() -> int:
            return program.said.count("no connection can be accepted")

        # Who is in is served.
        answered: set[socket.socket] = set()

        def take() -> None:
            poller = select.poll()
            by_number = {client.fileno(): client for client in clients - answered}
            for number in by_number:
                poller.register(number, select.POLLIN)
            for number, _ in poller.poll(20):
                client = by_number[number]
                assert status_of(answer_of(client)) == 200
                answered.add(client)

        def has_room_for_none() -> bool:
            take()
            return lines() >= 2 and len(answered) > FEW

        program.until(has_room_for_none)
        one = next(iter(answered))
        one.sendall(GET)
        assert status_of(answer_of(one)) == 200

        # Waiting costs nothing, and is told of once a second by each.
        since, told = time.monotonic(), lines()
        used = sum(processor_time(pid) for pid in workers)
        program.until(lambda: lines() >= told + 4)
        took = time.monotonic() - since
        assert sum(processor_time(pid) for pid in workers) - used < 0.4 * took
        assert lines() <= 2 * (time.monotonic() - begun + 1)

        # Whenever somebody leaves, somebody is let in, until all had their turn.
        def is_over() -> bool:
            take()
            for client in answered:
                client.close()
            clients.difference_update(answered)
            answered.clear()
            return not clients

        program.until(is_over)
        assert workers_of(program) == workers
        assert "Traceback" not in program.said
        program.signal(signal.SIGTERM)
        assert program.end() == 0


LARGE = 20_000_000
SLOW = [
    b"GET / HTTP/1.1\r\nhost: loc",
    b"POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nhello",
    b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n",
]
"""In the head, in the body, and in reading the answer."""


def sockets_of(pids: list[int]) -> int:
    """How many sockets they have open."""
    links = [link for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir()]
    count = 0
    for link in links:
        with contextlib.suppress(FileNotFoundError):
            count += "socket:" in str(link.readlink())
    return count


def read_on(client: socket.socket) -> tuple[bytes, int]:
    """The first of what a client was told to the end, and how much it was."""
    first, count = b"", 0
    with client, contextlib.suppress(ConnectionResetError):
        while piece := client.recv(1 << 20):
            first, count = (first + piece)[:100], count + len(piece)
    return first, count


@linux
@pytest.mark.usefixtures("many_descriptors")
def test_slow_clients_are_dropped_and_cost_nobody_else_an_answer(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(0))
    short = [f"--limit={each}=1000" for each in ("head_timeout", "body_timeout", "write_timeout")]
    with running(tmp_path, "run", "--port", "0", "--workers", "2", *short) as program:
        program.until_said("is ready on")
        program.until(lambda: len(workers_of(program)) == 2)
        workers = workers_of(program)
        before = sockets_of(workers)
        slow: list[socket.socket] = []
        for number in range(300):
            client = connect(program.port)
            client.sendall(SLOW[number % 3])
            slow.append(client)
            if number % 10 == 0:
                assert program.body("/quick") == "done"
        program.until(lambda: sockets_of(workers) <= before)

        for number, client in enumerate(slow):
            told, count = read_on(client)
            if number % 3 == 2:
                assert told.startswith(b"HTTP/1.1 200 ")
                assert count < LARGE
            else:
                assert told.startswith(b"HTTP/1.1 408 ")
        assert program.body("/quick") == "done"
        assert workers_of(program) == workers
        assert "Traceback" not in program.said
        program.signal(signal.SIGTERM)
        assert program.end() == 0


def memory_of(pid: int) -> int:
    """Bytes that are a process' own."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in rollup if line.startswith("Private_"))


@linux
@pytest.mark.long
def test_five_thousand_slow_clients_are_cheap_and_hardly_felt(
    tmp_path: Path, many_descriptors: int
) -> None:
    need(
        many_descriptors > 6_000 or None,
        "process that may have 6,000 descriptors",
        remedy="ulimit -Hn 10000",
    )
    (tmp_path / "app.py").write_text(APP.format(0.001))
    # Three minutes: they are here while it is measured.
    patient = [
        f"--limit={each}=180000" for each in ("head_timeout", "body_timeout", "write_timeout")
    ]
    with ExitStack() as stack:
        program = stack.enter_context(
            running(tmp_path, "run", "--port", "0", "--workers", "2", *patient)
        )
        program.until_said("is ready on")
        workers = workers_of(program)
        load = stack.enter_context(OpenLoop(program.port))
        load.run(200, 2)
        quiet = load.run(200, 10)
        before = sum(memory_of(pid) for pid in workers)
        slow: list[socket.socket] = []
        for number in range(5_000):
            client = stack.enter_context(connect(program.port))
            # A large answer lies in the system's buffers, which are not ours to count.
            client.sendall(SLOW[number % 2])
            slow.append(client)
        program.until(lambda: program.body("/quick") == "done")
        each = (sum(memory_of(pid) for pid in workers) - before) / len(slow)
        for client in slow:
            client.send(b"x")
        busy = load.run(200, 10)
        told = (
            f"99 % within {quiet.took(200, 0.99):.4f} s, with slow clients {busy.took(200, 0.99):.4f} s;"
            f" {each:.0f} bytes for each"
        )
        LOG.info(told)
        assert set(quiet.answered) == set(busy.answered) == {200}, told
        assert busy.failed == 0, told
        assert each < 20 * 1024, told
        assert busy.took(200, 0.99) <= 2 * quiet.took(200, 0.99) + 0.005, told
