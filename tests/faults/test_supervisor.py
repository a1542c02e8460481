"""`kingpost run --workers` in the middle of things: what ends, hangs or is asked for while something else is under way."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.faults.ledger import connect_to_all
from tests.faults.processes import reload, templates_of, workers_of
from tests.faults.program import GET, Program, read_all, running
from tests.saving import save
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

CODE = """
import asyncio, os, signal, subprocess, sys, time
from pathlib import Path
from kingpost import App

HERE = Path(__file__).parent

def wait(name):
    while not (HERE / name).exists():
        time.sleep(0.02)

IMPORT
app = App()

@app.lifespan
async def span():
    START
    yield

@app.get("/")
async def home() -> str:
    return f"version NUMBER {os.getpid()}"

@app.get("/block")
async def block() -> str:
    print("begun", flush=True)
    wait("unblock")
    return "finished"

@app.get("/never")
async def never() -> str:
    print("begun", flush=True)
    await asyncio.Event().wait()
    return ""

@app.get("/child")
async def child() -> str:
    # It ends when this process does, and nobody here waits for it.
    return str(subprocess.Popen(["cat"], stdin=subprocess.PIPE).pid)
"""
HANGING = "print('starting', flush=True); await asyncio.Event().wait()"
GATED = """print('starting', flush=True)
    while not (HERE / "go").exists():
        await asyncio.sleep(0.02)"""


def code(number: int = 1, *, importing: str = "", start: str = "pass") -> str:
    text = CODE.replace("IMPORT", importing).replace("START", start)
    return text.replace("NUMBER", str(number))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(code())
    return tmp_path


@contextlib.contextmanager
def serving(folder: Path, workers: int, *options: str) -> Generator[Program]:
    with running(
        folder,
        "run",
        "--port",
        "0",
        "--workers",
        str(workers),
        "--control",
        "control.sock",
        *options,
    ) as program:
        yield program


def ask(folder: Path, data: bytes = b'{"say": "reload"}\n') -> socket.socket:
    """A question to the supervisor; the answer can be read when it comes."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(str(folder / "control.sock"))
    connection.sendall(data)
    return connection


def answer(connection: socket.socket) -> dict[str, str]:
    with connection, connection.makefile() as lines:
        found: dict[str, str] = json.loads(lines.readline())
        return found


# -- the template is killed ------------------------------------------------------------------------------------------


def test_workers_outlive_their_template_and_serve_until_the_code_is_imported_anew(
    folder: Path,
) -> None:
    with serving(folder, 2) as program:
        program.until_said("is ready on")
        before = set(workers_of(program))
        save(folder / "app.py", code(2, importing="print('importing', flush=True); wait('go')"))
        os.kill(templates_of(program)[0], signal.SIGKILL)
        program.until_said("importing\n")
        connections = connect_to_all(program.port, 2)
        assert set(connections) == before
        for connection in connections.values():
            connection.close()
        (folder / "go").touch()
        program.until_said("reloaded in")
        assert program.body().startswith("version 2")
        program.signal(signal.SIGTERM)
        assert program.end() == 0


def test_workers_outlive_their_template_also_where_the_code_is_broken_meanwhile(
    folder: Path,
) -> None:
    with serving(folder, 2) as program:
        program.until_said("is ready on")
        before = set(workers_of(program))
        save(folder / "app.py", "app = App(")
        os.kill(templates_of(program)[0], signal.SIGKILL)
        program.until_said("the code before keeps serving: SyntaxError")
        connections = connect_to_all(program.port, 2)
        assert set(connections) == before
        for connection in connections.values():
            connection.close()
        save(folder / "app.py", code(2))
        assert reload(folder).returncode == 0
        assert program.body().startswith("version 2")


@pytest.mark.long
def test_where_no_worker_is_left_and_the_code_is_broken_the_service_ends(folder: Path) -> None:
    with serving(folder, 1) as program:
        program.until_said("is ready on")
        (worker,) = workers_of(program)
        save(folder / "app.py", "app = App(")
        os.kill(templates_of(program)[0], signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)
        program.until_said("no worker serves: SyntaxError")
        assert program.end() == 1
    assert "no worker serves, and 5 in a row ended: giving up" in program.said


# -- the control socket ----------------------------------------------------------------------------------------------


def test_nothing_that_is_said_to_the_control_socket_harms_the_service(folder: Path) -> None:
    with serving(folder, 1) as program:
        program.until_said("is ready on")
        (before,) = workers_of(program)
        silent = ask(folder, b"")
        for data in [b"status\n", b"[]\n", b"\xff\xfe\n", b"[" * 4000 + b"\n", b'{"say": 1}\n\n\n']:
            assert answer(ask(folder, data))["say"] == "failed"
        # Without a line break nothing is answered, and it is not kept.
        with contextlib.suppress(ConnectionError):
            with ask(folder, b"x" * 5000) as endless:
                assert endless.recv(100) == b""
        assert program.body() == f"version 1 {before}"
        assert reload(folder).returncode == 0
        silent.close()
    assert "Traceback" not in program.said


def test_who_asks_while_a_former_reload_ends_hears_of_the_own_one(folder: Path) -> None:
    with serving(folder, 1) as program:
        program.until_said("is ready on")
        with program.connect() as blocked:
            blocked.sendall(GET.format("/block", "*/*").encode())
            program.until_said("begun")
            save(folder / "app.py", code(2))
            first = ask(folder)
            # The worker before cannot let go of its socket: whom it gets are not answered.
            program.until(lambda: len(workers_of(program)) == 2)
            program.until(lambda: answers_new(program))
            save(folder / "app.py", "app = App(")
            second = ask(folder)
            (folder / "unblock").touch()
            assert answer(first)["say"] == "done"
            failed = answer(second)
            assert failed["say"] == "failed"
            assert failed["summary"].startswith("the code before keeps serving: SyntaxError")
            assert read_all(blocked).endswith("finished")
        assert program.body().startswith("version 2")


def answers_new(program: Program) -> bool:
    """Whether a connection is answered by new code, of those that come to the worker that can."""
    with program.connect() as connection:
        connection.settimeout(0.3)
        connection.sendall(GET.format("/", "*/*").encode())
        with contextlib.suppress(TimeoutError):
            return "version 2" in read_all(connection)
    return False


def test_who_asks_while_the_service_starts_is_answered(folder: Path) -> None:
    (folder / "app.py").write_text(code(start=GATED))
    with serving(folder, 1) as program:
        program.until_said("starting\n")
        asked = ask(folder)
        program.until_said("starting\n(.*\n)*starting\n")
        (folder / "go").touch()
        assert answer(asked)["text"].startswith("started in")
        program.until_said("is ready on")


def test_who_asks_a_service_that_stops_hears_that(folder: Path) -> None:
    with serving(folder, 1) as program:
        program.until_said("is ready on")
        save(folder / "app.py", code(start=HANGING))
        asked = ask(folder)
        program.until_said("starting\n")
        program.signal(signal.SIGTERM)
        assert answer(asked)["summary"] == "the service was told to stop"
        assert program.end() == 0
    # What never served has nothing to finish, and holds up nothing.
    assert "did not stop in time" not in program.said


# -- while new code starts -------------------------------------------------------------------------------------------


def test_a_worker_that_ends_while_new_code_hangs_is_replaced(folder: Path) -> None:
    with serving(folder, 1) as program:
        program.until_said("is ready on")
        old = int(program.body().split()[-1])
        save(folder / "app.py", code(2, start=HANGING))
        program.signal(signal.SIGHUP)
        program.until_said("starting\n")
        os.kill(old, signal.SIGKILL)
        program.until_said(rf"\({old}\) was ended by SIGKILL")
        body = program.body()
        assert body.startswith("version 1")
        assert body != f"version 1 {old}"
        save(folder / "app.py", code(3))
        assert reload(folder).returncode == 0
        assert program.body().startswith("version 3")


def test_one_worker_less_while_new_code_starts_leaves_no_slot_without_a_worker(
    folder: Path,
) -> None:
    with serving(folder, 3) as program:
        program.until_said("is ready on")
        save(folder / "app.py", code(2, start=GATED))
        program.signal(signal.SIGHUP)
        program.until_said("starting\n")
        program.signal(signal.SIGTTOU)
        program.until_said("2 workers are to serve now, 3 did")
        (folder / "go").touch()
        program.until_said("reloaded in")
        program.until(lambda: len(workers_of(program)) == 2)
        before = set(workers_of(program))
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        # Each connection is answered, to whichever of the sockets it comes.
        for _ in range(12):
            assert program.body().startswith("version 2")
        program.until(lambda: len(set(workers_of(program)) - before) == 2)


@pytest.mark.parametrize(
    ("text", "stack", "said"),
    [
        (
            code(2, start=HANGING),
            r"in _run_to_end",
            r"worker 1 \(\d+\) was not ready within",
        ),
        pytest.param(
            code(2, importing="wait('never')"),
            r"in wait",
            r"the code was not imported within",
            marks=pytest.mark.long,
        ),
    ],
    ids=["start-up", "import"],
)
def test_code_that_hangs_at_its_start_is_given_up(
    folder: Path, text: str, stack: str, said: str
) -> None:
    with serving(folder, 1, "--start-timeout", "4") as program:
        program.until_said("is ready on")
        save(folder / "app.py", text)
        done = reload(folder)
        assert done.returncode == 1
        assert "the code before keeps serving: " in done.stderr
        assert re.search(rf"{said} 4 s\. .*--start-timeout", done.stderr)
        program.until_said(stack)
        assert program.body().startswith("version 1")
        save(folder / "app.py", code(3))
        assert reload(folder).returncode == 0


THREADS = """
import threading

def start(name):
    threading.Thread(target=threading.Event().wait, name=name, daemon=True).start()

start("lost")
start("lost")
start("restarted")
os.register_at_fork(after_in_child=lambda: start("restarted"))
"""


def test_a_thread_that_workers_do_not_have_is_warned_of_once(folder: Path) -> None:
    save(folder / "app.py", code(importing=THREADS))
    with serving(folder, 2) as program:
        program.until_said("is ready on")
        assert re.findall(r"threads \((.*)\), which workers do not have", program.said) == [
            "lost, lost"
        ]


def test_a_thread_that_starts_anew_in_workers_is_not_warned_of(folder: Path) -> None:
    save(
        folder / "app.py",
        code(
            importing="from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter\n"
            "BatchSpanProcessor(ConsoleSpanExporter())"
        ),
    )
    with serving(folder, 1) as program:
        program.until_said("is ready on")
        assert "which workers do not have" not in program.said


# -- ends ------------------------------------------------------------------------------------------------------------


def test_workers_that_leave_by_themselves_are_given_time_as_those_that_crash(folder: Path) -> None:
    leave = "asyncio.get_running_loop().call_later(0.02, os.kill, os.getpid(), signal.SIGTERM)"
    (folder / "app.py").write_text(code(start=leave))
    with serving(folder, 1) as program:
        program.until_said("stops, and the supervisor has not told it to: another takes its place")
        program.until_said("worker 1 ended 6 times in a minute: the next one starts in 1 s")


def test_what_workers_leave_behind_is_waited_for(folder: Path) -> None:
    with serving(folder, 1) as program:
        program.until_said("is ready on")
        pid = program.body("/child")
        assert Path(f"/proc/{pid}").exists()
        os.kill(workers_of(program)[0], signal.SIGKILL)
        program.until(lambda: not Path(f"/proc/{pid}").exists())


def test_what_is_unfinished_when_the_grace_is_over_is_cut_off(folder: Path) -> None:
    with serving(folder, 2, "--grace", "0.5") as program:
        program.until_said("is ready on")
        with program.connect() as connection:
            connection.sendall(GET.format("/never", "*/*").encode())
            program.until_said("begun")
            program.signal(signal.SIGTERM)
            assert read_all(connection) == ""
        assert program.end() == 0
    assert "stopped with 1 request unfinished" in program.said
    assert "did not stop in time" not in program.said


@pytest.mark.long
def test_a_worker_that_cannot_stop_is_ended_behind_its_grace(folder: Path) -> None:
    with serving(folder, 1, "--grace", "0") as program:
        program.until_said("is ready on")
        with program.connect() as connection:
            connection.sendall(GET.format("/block", "*/*").encode())
            program.until_said("begun")
            program.signal(signal.SIGTERM)
            assert read_all(connection) == ""
        assert program.end() == 0
    assert "did not stop in time: ending it" in program.said
