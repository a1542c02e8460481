"""Twice as many requests as can be answered (F16), no descriptors left (F6), and clients that are slow (F5)."""

from __future__ import annotations

import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.faults.ledger import answer_of
from tests.faults.open_loop import OpenLoop
from tests.faults.program import Program, children_of, running
from tests.waiting import PATIENCE, until

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
"""
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
    with running(tmp_path, *arguments) as program:
        program.until_said("is ready on")
        load = OpenLoop(program.port)
        peak = load.run_closed(8, 5)
        outcome = load.run(2 * peak, 20)
        goodput = outcome.count(200, since=5) / 15
        told = (
            f"peak {peak:.0f}/s, at twice that {goodput:.0f}/s; {outcome.count(503)} turned away; seconds for half and 99 % of"
            f" them {outcome.took(503, 0.5, 5):.3f} {outcome.took(503, 0.99, 5):.3f}, of those who were served"
            f" {outcome.took(200, 0.5, 5):.3f} {outcome.took(200, 0.99, 5):.3f}; held up {outcome.held_up:.3f}"
        )
        print(told)
        assert set(outcome.answered) == {200, 503}, told
        assert outcome.failed == 0, told
        assert goodput >= 0.9 * peak, told
        # At the door, not after the wait.
        assert outcome.took(503, 0.5, 5) < outcome.took(200, 0.5, 5), told
        after = load.run(peak / 2, 10)
        assert after.count(503, since=2) == 0, told
        load.close()
