"""`--ops-port` with workers that are real processes: one port for all of them, whatever becomes of each."""

from __future__ import annotations

import os
import re
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.faults.ledger import connect_to_all
from tests.faults.program import Program, running
from tests.saving import save
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="connects to each of several workers"
)

APP = """
import os
from kingpost import App
from kingpost.checks import Health, Metrics

app = App(plugins=[Health(), Metrics()])

@app.get("/")
async def home() -> str:
    return f"version 1 {os.getpid()}"
"""
OPERATED = ("run", "--port", "0", "--ops-port", "0", "--workers", "3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def operations_of(program: Program) -> str:
    return program.until_said(r"for operations on (http://127\.0\.0\.1:\d+) ").group(1)


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - our own server
        return str(answer.read().decode())


def number(told: str, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", told, re.MULTILINE)
    return 0.0 if found is None else float(found.group(1))


def test_metrics_are_of_all_workers_whichever_is_asked_and_stay_when_one_is_killed(
    folder: Path,
) -> None:
    with running(folder, *OPERATED) as program:
        url = operations_of(program)
        # Connecting asks each for its page once or more; how often is counted here as well.
        connections = connect_to_all(program.port, 3)
        asked = 'http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/"}'
        program.until(lambda: number(read(f"{url}/metrics"), asked) >= 3)
        before = number(read(f"{url}/metrics"), asked)
        assert number(read(f"{url}/metrics"), "kingpost_workers") == 3
        # A worker adds once a second, so all of it is there after the next.
        killed = next(iter(connections))
        for connection in connections.values():
            connection.close()
        os.kill(killed, signal.SIGKILL)
        program.until_said("another takes its place")
        program.until(lambda: number(read(f"{url}/metrics"), "kingpost_workers") == 3)

        for _ in range(6):
            assert number(read(f"{url}/metrics"), asked) >= before
        with urllib.request.urlopen(f"http://127.0.0.1:{program.port}/") as answer:
            assert answer.status == 200


def test_a_reload_refuses_and_resets_nobody_who_asks_for_health(folder: Path) -> None:
    with running(folder, *OPERATED) as program:
        url = operations_of(program)
        for version in (2, 3):
            save(folder / "app.py", APP.replace("version 1", f"version {version}"))
            program.signal(signal.SIGHUP)
            count = version - 1
            # Each of these raises where a connection is refused, or reset.
            program.until(
                lambda count=count: (
                    read(f"{url}/livez") == '{"status":"ok"}'
                    and program.said.count("reloaded in") == count
                ),
                pause=0.005,
            )


def test_what_is_served_on_the_ops_port_is_not_on_the_public_one_nor_on_one_port_with_it(
    folder: Path,
) -> None:
    with running(folder, *OPERATED) as program:
        url = operations_of(program)
        with pytest.raises(urllib.error.HTTPError, match="404"):
            read(f"http://127.0.0.1:{program.port}/metrics")
        port = url.rpartition(":")[2]
        for workers in ((), ("--workers", "2")):
            with running(folder, "run", "--port", "0", "--ops-port", port, *workers) as second:
                assert second.end() != 0
            assert f"operations cannot be served: port {port} on 127.0.0.1 is in use" in second.said
            with running(folder, "run", "--port", "9434", "--ops-port", "9434", *workers) as third:
                assert third.end() != 0
            assert "port 9434 is the one that the public is served on" in third.said


def test_the_port_goes_on_to_the_next_worker_of_kingpost_dev(folder: Path) -> None:
    with running(
        folder, "dev", "--port", "0", environment={"KINGPOST_OPS": "127.0.0.1:0"}
    ) as program:
        url = program.until_said(r"for operations on (http://127\.0\.0\.1:\d+)").group(1)
        assert read(f"{url}/livez") == '{"status":"ok"}'
        save(folder / "app.py", APP.replace("version 1", "version 2"))
        program.until_said("[Rr]eloaded")
        assert read(f"{url}/livez") == '{"status":"ok"}'


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
def test_an_application_of_others_is_told_of_there(folder: Path, workers: tuple[str, ...]) -> None:
    (folder / "app.py").write_text("async def app(scope, receive, send):\n    pass\n")
    with running(folder, "run", "--port", "0", "--ops-port", "0", *workers) as program:
        assert read(f"{operations_of(program)}/livez") == '{"status":"ok"}'


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
def test_an_app_that_has_nothing_to_serve_there_is_refused(
    folder: Path, workers: tuple[str, ...]
) -> None:
    (folder / "app.py").write_text("from kingpost import App\n\napp = App()\n")
    with running(folder, "run", "--port", "0", "--ops-port", "0", *workers) as program:
        assert program.end() != 0
    assert "has neither Health() nor Metrics()" in program.said
