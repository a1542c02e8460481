"""`kingpost run --workers`: workers that are killed, that abort and that block, code that changes under load, and ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.ledger import APP, QUIET_AT_THE_END, Load, answer_of, connect_to_all
from tests.faults.processes import reload, templates_of, workers_of
from tests.faults.program import GET, is_alive, read_all, running
from tests.needs import need
from tests.saving import save
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def change(folder: Path, version: int) -> None:
    save(folder / "app.py", APP.replace("version 1", f"version {version}"))


# -- workers ---------------------------------------------------------------------------------------------------------


def test_each_of_four_workers_serves_and_the_supervisor_none(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "4") as program:
        program.until_said(r"ready on http://127.0.0.1:\d+ \(production, 4 workers\)")
        found = connect_to_all(program.port, 4)
        for connection in found.values():
            connection.close()

        assert set(found) == set(workers_of(program))
        program.signal(signal.SIGTERM)
        assert program.end() == 0
    assert program.said.endswith("Kingpost has stopped\n")
    assert "Traceback" not in program.said


LIMITED = """
import os
from kingpost import App
from kingpost.middleware import RateLimit

app = App()

@app.get("/")
async def home() -> str:
    return f"version 1 {os.getpid()}"

@app.get("/limited", middleware=[RateLimit("42/hour")])
async def limited() -> str:
    return "here"
"""


def test_a_rate_limit_is_exact_over_four_workers_a_request_for_each_in_turn(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").write_text(LIMITED)
    with running(tmp_path, "run", "--port", "0", "--workers", "4") as program:
        connections = [*connect_to_all(program.port, 4).values()]
        answers: list[str] = []
        for number in range(60):
            connection = connections[number % 4]
            connection.sendall(b"GET /limited HTTP/1.1\r\nhost: localhost\r\n\r\n")
            answers.append(answer_of(connection))
        for connection in connections:
            connection.close()

    assert [answer.split()[1] for answer in answers] == ["200"] * 42 + ["429"] * 18
    left = [re.search(r"ratelimit: .*;r=(\d+)", answer.lower()) for answer in answers]
    assert [int(found[1]) for found in left if found] == [*range(41, -1, -1), *[0] * 18]


THEIRS = """
import os

def app(environ, start_response):
    body = f"{environ['wsgi.multiprocess']} {os.getpid()}".encode()
    start_response("200 OK", [("content-length", str(len(body)))])
    return [body]
"""


MOUNTING = """
from kingpost import App
from theirs import app as theirs

app = App()
app.mount("/", theirs)
"""


def test_an_application_of_wsgi_is_told_that_it_runs_in_several_processes(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(THEIRS)
    (tmp_path / "app.py").write_text(MOUNTING)
    for target in ("theirs.py", "app.py"):
        with running(tmp_path, "run", target, "--port", "0", "--workers", "2") as program:
            for connection in connect_to_all(program.port, 2).values():
                with connection:
                    connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    assert answer_of(connection).split()[-2] == "True"
    with running(tmp_path, "run", "theirs.py", "--port", "0") as program:
        with program.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert answer_of(connection).split()[-2] == "False"


@pytest.mark.parametrize("options", [["--uds", "app.sock"], ["--shared-listener", "--port", "0"]])
def test_workers_may_share_one_socket(folder: Path, options: list[str]) -> None:
    with running(folder, "run", "--workers", "2", *options) as program:
        program.until_said("is ready on")
        seen: set[str] = set()

        def ask() -> bool:
            if options[0] == "--uds":
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(str(folder / "app.sock"))
            else:
                connection = program.connect()
            with connection:
                connection.sendall(GET.format("/", "*/*").encode())
                seen.add(read_all(connection).rpartition(" ")[2])
            return len(seen) == 2

        program.until(ask, pause=0)
        program.signal(signal.SIGTERM)
        assert program.end() == 0
    assert not (folder / "app.sock").exists()


def test_a_port_on_which_other_workers_listen_is_in_use(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "2") as program:
        port = str(program.port)
        with running(folder, "run", "--port", port, "--workers", "2") as second:
            assert second.end() == 1
    assert f"port {port} on 127.0.0.1 is in use" in second.said


# -- F1, F15: workers that end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kills", [3, pytest.param(30, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_killed_workers_cost_what_they_had_in_hand_and_no_connection_is_refused(
    folder: Path, kills: int
) -> None:
    with running(folder, "run", "--port", "0", "--workers", "4") as program:
        program.until_said("is ready on")
        with Load(program.port, threads=4) as load:
            for number in range(kills):
                before = len(load.acknowledged)
                program.until(lambda before=before: len(load.acknowledged) > before + 50)
                victim = workers_of(program)[0]
                os.kill(victim, signal.SIGKILL)
                program.until_said(rf"\({victim}\) was ended by SIGKILL")
                program.until(lambda number=number: len(workers_of(program)) == 4)
            before = len(load.acknowledged)
            program.until(lambda: len(load.acknowledged) > before + 50)
        assert program.body("/sum") == "2000"

    # Each thread has one request in hand.
    failed = load.outcomes.pop("unanswered", 0) + load.outcomes.pop("unanswered at first", 0)
    assert failed <= 4 * kills
    assert set(load.outcomes) <= {"200", "too late"}
    load.check(folder / "ledger.db")


def test_a_worker_that_aborts_says_where_and_is_replaced(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "2") as program:
        program.until_said("is ready on")
        before = set(workers_of(program))
        assert program.get("/abort") == ""
        program.until(lambda: len(workers_of(program)) == 2 and set(workers_of(program)) != before)
        assert program.body().startswith("version 1")
        program.until_said(r"was ended by SIGABRT after \d+ s: another takes its place")
    assert "in abort" in program.said


def test_a_worker_that_is_told_to_stop_finishes_and_is_replaced(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "1") as program:
        program.until_said("is ready on")
        (before,) = workers_of(program)
        with program.connect() as connection:
            connection.sendall(GET.format("/slow", "*/*").encode())
            program.until_said("begun")
            os.kill(before, signal.SIGTERM)
            program.until(lambda: program.body() not in ("", f"version 1 {before}"))
            assert read_all(connection).endswith("finished")


DOOMED = """
import os
from pathlib import Path
from kingpost import App

app = App()
DOOM = Path(__file__).parent / "doom"

@app.lifespan
async def span():
    if DOOM.exists():
        os._exit(7)
    yield

@app.get("/doom")
async def doom() -> str:
    DOOM.touch()
    os._exit(7)
"""


def test_where_nothing_serves_and_nothing_will_the_service_ends_and_says_so(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").write_text(DOOMED)
    with running(tmp_path, "run", "--port", "0", "--workers", "1") as program:
        program.until_said("is ready on")
        program.get("/doom")
        assert program.end() == 1
    assert "ended with status 7 before it could serve" in program.said
    assert "no worker serves, and 5 in a row ended: giving up" in program.said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app = App(", "SyntaxError"),
        ("raise RuntimeError('no database')", "RuntimeError: no database"),
        (APP + "\n@app.lifespan\nasync def span():\n    1 / 0\n    yield\n", "ZeroDivisionError"),
    ],
    ids=["syntax", "import", "start-up"],
)
def test_an_app_that_does_not_start_ends_the_service_with_the_reason(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "app.py").write_text(text)
    with running(tmp_path, "run", "--port", "0", "--workers", "2") as program:
        assert program.end() == 1
    assert said in program.said
    assert "the app did not start" in program.said


# Starts a program with standard output closed, as daemons are.
CLOSED = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


@pytest.mark.parametrize("options", [[], ["--workers", "1"]], ids=["alone", "workers"])
def test_a_program_whose_output_is_closed_serves(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "app.py").write_text(PRINTING)
    with running(tmp_path, "run", "--port", "0", *options, under=["-c", CLOSED, "-P"]) as program:
        assert program.body() == "printed"
        program.signal(signal.SIGTERM)
        assert program.end() == 0
    assert "Traceback" not in program.said


PRINTING = """
import subprocess, sys
from kingpost import App

app = App()

@app.get("/")
def home() -> str:
    print("nobody reads this", flush=True)
    # What it starts has an output as well.
    subprocess.run([sys.executable, "-c", "print(1, flush=True)"], check=True)
    return "printed"
"""


KEEPING = """
import atexit, os, tempfile
from pathlib import Path
from kingpost import App

app = App()
FOLDER = tempfile.TemporaryDirectory()
atexit.register(lambda: print(f"{os.getpid()} at its exit", flush=True))

@app.get("/")
async def home() -> str:
    return f"{Path(FOLDER.name).is_dir()} {os.getpid()}"

@app.get("/inherited")
async def inherited() -> int:
    numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    found = 0
    for number in numbers:
        try:
            found += number > 2 and os.get_inheritable(number)
        except OSError:
            pass
    return found
"""


def test_a_temporary_folder_of_the_import_is_removed_with_the_service_and_not_with_a_worker(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").write_text(KEEPING)
    with running(tmp_path, "run", "--port", "0", "--workers", "1") as program:
        kept, pid = program.body().split()
        assert kept == "True"
        # Nothing that a worker has open is inherited by what it starts.
        assert program.body("/inherited") == "0"
        os.kill(int(pid), signal.SIGTERM)
        # What was registered is done all the same.
        program.until_said(f"{pid} at its exit")
        program.until(lambda: program.body() not in ("", f"{kept} {pid}"))
        assert program.body().startswith("True ")


def test_more_workers_than_the_process_may_have_descriptors_for_are_refused(folder: Path) -> None:
    few = "import resource, runpy; resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)); runpy.run_module('kingpost.cli', run_name='__main__')"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-P", "-c", few, "run", "--port", "0", "--workers", "64"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "64 workers need 832 descriptors, and this process may have 128" in done.stderr
    assert "ulimit -n 832" in done.stderr


# -- F2: the supervisor ----------------------------------------------------------------------------------------------


def test_a_killed_supervisor_leaves_no_orphan_and_what_was_begun_is_finished(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "2") as program:
        program.until_said("is ready on")
        processes = [*templates_of(program), *workers_of(program)]
        assert len(processes) == 3
        with program.connect() as connection:
            connection.sendall(GET.format("/slow", "*/*").encode())
            program.until_said("begun")

            program.signal(signal.SIGKILL)

            assert read_all(connection).endswith("finished")
        program.until(lambda: not any(is_alive(pid) for pid in processes))
        until(program.is_refusing)


@pytest.mark.long
def test_a_killed_supervisor_leaves_no_worker_whose_loop_is_blocked(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "1") as program:
        program.until_said("is ready on")
        processes = [*templates_of(program), *workers_of(program)]
        with program.connect() as connection:
            connection.sendall(GET.format("/block", "*/*").encode())
            program.until_said("blocks the event loop")
            program.signal(signal.SIGKILL)
            program.until(lambda: not any(is_alive(pid) for pid in processes))


def test_where_the_template_is_killed_the_app_is_imported_anew(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "2") as program:
        program.until_said("is ready on")
        before = workers_of(program)
        with Load(program.port, threads=2) as load:
            program.until(lambda: len(load.acknowledged) > 20)
            os.kill(templates_of(program)[0], signal.SIGKILL)
            program.until_said("was ended from outside: importing it anew")
            program.until_said("reloaded in")
            program.until(
                lambda: len(workers_of(program)) == 2 and not set(before) & set(workers_of(program))
            )
            done = len(load.acknowledged)
            program.until(lambda: len(load.acknowledged) > done + 20)
        program.signal(signal.SIGTERM)
        assert program.end() == 0
    assert set(load.outcomes) <= {"200", "too late"}


# -- F3, F4: reloading -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reloads", [3, pytest.param(20, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_no_request_fails_while_code_is_reloaded_under_load(folder: Path, reloads: int) -> None:
    with running(
        folder, "run", "--port", "0", "--workers", "2", "--control", "control.sock"
    ) as program:
        program.until_said("is ready on")
        with Load(program.port, threads=4) as load:
            for version in range(2, 2 + reloads):
                before = len(load.acknowledged)
                program.until(lambda before=before: len(load.acknowledged) > before + 100)
                change(folder, version)
                done = reload(folder)
                assert done.returncode == 0, done.stderr
                assert re.fullmatch(r"reloaded in \d+\.\d\d s\n", done.stdout)
                # Nobody gets the old code any more.
                assert program.body().startswith(f"version {version} ")
            before = len(load.acknowledged)
            program.until(lambda: len(load.acknowledged) > before + 100)
        assert program.body("/sum") == "2000"
        # Old processes are gone.
        program.until(lambda: len(workers_of(program)) == 2 and len(templates_of(program)) == 1)

    assert set(load.outcomes) <= {"200", "too late"}
    load.check(folder / "ledger.db")


@pytest.mark.long
def test_no_request_of_two_hundred_thousand_fails_over_twenty_reloads(folder: Path) -> None:
    wrk = need(shutil.which("wrk"), "wrk", remedy="apt-get install wrk, brew install wrk")
    command = ["run", "--port", "0", "--workers", "2", "--control", "control.sock"]
    with running(folder, *command) as program:
        program.until_said("is ready on")
        url = f"http://127.0.0.1:{program.port}/"
        reloads = requests = 0
        # As long as it takes: nothing is said of how fast this machine is, but that it is not a hundred times slower than others.
        for _ in range(100):
            with subprocess.Popen(  # noqa: S603 - wrk, as it was found
                [wrk, "-t1", "-c32", "-d20s", "--timeout", "30s", url],
                stdout=subprocess.PIPE,
                text=True,
            ) as load:
                while reloads < 20 and load.poll() is None:
                    assert reload(folder).returncode == 0
                    reloads += 1
                    # New code serves for a while before it is old.
                    time.sleep(1)
                said, _ = load.communicate(timeout=3 * PATIENCE)
            counted = re.search(r"(\d+) requests in", said)
            assert counted is not None, said
            requests += int(counted[1])
            # wrk names what failed only where something did.
            assert "errors" not in said, said
            assert "Non-2xx" not in said, said
            if reloads == 20 and requests >= 200_000:
                break
        assert (reloads, requests >= 200_000) == (20, True), requests


def test_a_signal_reloads_as_well(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "1") as program:
        program.until_said("is ready on")
        change(folder, 2)
        program.signal(signal.SIGHUP)
        program.until_said(r"reloaded in")
        assert program.body().startswith("version 2 ")


def test_a_client_that_pauses_while_code_is_reloaded_is_answered_on_its_connection(
    folder: Path,
) -> None:
    with running(
        folder, "run", "--port", "0", "--workers", "1", "--control", "control.sock"
    ) as program:
        program.until_said("is ready on")

        def pauses() -> bool:
            with program.connect() as connection:
                ask = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
                connection.sendall(ask)
                before = answer_of(connection)
                assert reload(folder).returncode == 0
                # It pauses for half a second, in which nothing is asked of the worker that leaves.
                assert program.body("/slow") == "finished"
                connection.sendall(ask)
                answer = answer_of(connection)
                if not answer:
                    # It has paused for much longer where this machine was held up.
                    return False
                assert "connection: close" in answer
                # The worker that leaves has answered: the other was not let in on this connection.
                assert answer.split()[-1] == before.split()[-1]
                return True

        program.until(pauses)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app = App(", "SyntaxError"),
        ("import nowhere", "No module named 'nowhere'"),
        ("exit()", "SystemExit"),
        (APP + "\n@app.lifespan\nasync def span():\n    1 / 0\n    yield\n", "ZeroDivisionError"),
        (APP + "\n@app.lifespan\nasync def span():\n    os._exit(3)\n    yield\n", "with status 3"),
    ],
    ids=["syntax", "import", "exit", "start-up", "ends"],
)
def test_code_that_does_not_run_replaces_nothing_and_says_why(
    folder: Path, text: str, said: str
) -> None:
    with running(
        folder, "run", "--port", "0", "--workers", "2", "--control", "control.sock"
    ) as program:
        program.until_said("is ready on")
        before = set(workers_of(program))
        save(folder / "app.py", text)
        done = reload(folder)

        assert done.returncode == 1
        assert said in done.stderr
        assert "the code before keeps serving" in done.stderr
        assert said in program.said
        program.until(lambda: set(workers_of(program)) == before)
        assert program.body().startswith("version 1 ")

        change(folder, 2)
        assert reload(folder).returncode == 0
        assert program.body().startswith("version 2 ")


def test_a_reload_of_no_service_says_so(tmp_path: Path) -> None:
    done = reload(tmp_path)
    assert done.returncode == 1
    assert "no service listens on control.sock" in done.stderr


# -- recycling and scaling -------------------------------------------------------------------------------------------


# Each transfer keeps a mebibyte, up to a hundred.
GROWING = APP.replace(
    "    return key", "    HELD[len(HELD) % 100] = b'x' * (1 << 20)\n    return key"
)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--max-requests", "50"], r"after \d+ requests"),
        (["--max-age", "1"], r"after \d+ seconds"),
        (["--max-memory", "80"], r"with \d+ MiB of memory"),
    ],
    ids=["requests", "age", "memory"],
)
def test_worn_workers_are_replaced_and_no_request_fails(
    folder: Path, options: list[str], reason: str
) -> None:
    (folder / "app.py").write_text(GROWING + "\nHELD: dict[int, bytes] = {}\n")
    with running(folder, "run", "--port", "0", "--workers", "2", *options) as program:
        program.until_said("is ready on")
        before = set(workers_of(program))
        with Load(program.port, threads=4) as load:
            program.until_said(rf"worker \d \(\d+\) is replaced {reason}")
            program.until(lambda: not before & set(workers_of(program)))
            done = len(load.acknowledged)
            program.until(lambda: len(load.acknowledged) > done + 50)

    assert set(load.outcomes) <= {"200", "too late"}
    load.check(folder / "ledger.db")


def test_signals_add_and_take_away_workers_under_load(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "1") as program:
        program.until_said("is ready on")
        with Load(program.port, threads=4) as load:
            for number, many in [
                (signal.SIGTTIN, 2),
                (signal.SIGTTIN, 3),
                (signal.SIGTTOU, 2),
                (signal.SIGTTOU, 1),
                (signal.SIGTTIN, 2),
            ]:
                program.signal(number)
                program.until(lambda many=many: len(workers_of(program)) == many)
                done = len(load.acknowledged)
                program.until(lambda done=done: len(load.acknowledged) > done + 20)
        for connection in connect_to_all(program.port, 2).values():
            connection.close()

    assert set(load.outcomes) <= {"200", "too late"}
    assert "2 workers are to serve now, 1 did" in program.said


# -- F14: a blocked loop ---------------------------------------------------------------------------------------------


def test_a_worker_whose_loop_is_blocked_is_named_and_replaced_with_its_stack(folder: Path) -> None:
    with running(
        folder, "run", "--port", "0", "--workers", "1", "--worker-timeout", "3"
    ) as program:
        program.until_said("is ready on")
        (before,) = workers_of(program)
        with program.connect() as connection:
            connection.sendall(GET.format("/block", "*/*").encode())
            # The watchdog within the worker names it first, and long before.
            program.until_said("blocks the event loop for more than 100 ms")
            program.until_said(rf"\({before}\) has not turned its event loop for \d+ s")
            assert read_all(connection) == ""
        program.until(lambda: workers_of(program) not in ([], [before]))
        assert program.body().startswith("version 1")
    assert re.search(r'File ".*app\.py", line \d+ in block', program.said)


# -- F18: the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_lets_what_was_begun_finish(
    folder: Path, number: signal.Signals
) -> None:
    with running(folder, "run", "--port", "0", "--workers", "2") as program:
        program.until_said("is ready on")
        with (
            Load(program.port, threads=2, quiet=QUIET_AT_THE_END) as load,
            program.connect() as connection,
        ):
            connection.sendall(GET.format("/slow", "*/*").encode())
            program.until_said("begun")
            program.until(lambda: len(load.acknowledged) > 20)

            # To all of its processes, as a terminal and systemd do.
            program.signal(number, group=True)

            assert read_all(connection).endswith("finished")
            assert program.end() == 0
    # Whoever comes later is refused; a connection that came as the sockets were closed is reset.
    later = {
        "too late",
        "unanswered at first",
        "connect: ConnectionRefusedError",
        "connect: ConnectionResetError",
    }
    assert set(load.outcomes) <= {"200", *later}
    load.check(folder / "ledger.db")
    assert "Traceback" not in program.said


def test_the_grace_ends_what_workers_do_not_finish(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "1", "--grace", "0.3") as program:
        program.until_said("is ready on")
        with program.connect() as connection:
            connection.sendall(GET.format("/never", "*/*").encode())
            program.until_said("begun")
            program.signal(signal.SIGTERM)
            assert read_all(connection) == ""
            assert program.end() == 0
    assert "stopped with 1 request unfinished" in program.said


def test_a_second_signal_ends_what_does_not_end(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "1") as program:
        program.until_said("is ready on")
        with program.connect() as connection:
            connection.sendall(GET.format("/never", "*/*").encode())
            program.until_said("begun")
            program.signal(signal.SIGTERM)
            program.until(program.is_refusing)
            program.signal(signal.SIGTERM)
            assert read_all(connection) == ""
            assert program.end() == 0
    assert "stopped with 1 request unfinished" in program.said


# -- systemd ---------------------------------------------------------------------------------------------------------


def test_systemd_hears_of_one_process_as_well(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(folder / "notify.sock"))
        notified.settimeout(PATIENCE)
        environment = {"NOTIFY_SOCKET": str(folder / "notify.sock"), "WATCHDOG_USEC": "400000"}
        with running(folder, "run", "--port", "0", environment=environment) as program:
            said = notified.recv(4096).decode()
            assert said == f"READY=1\nSTATUS=serving\nMAINPID={program.process.pid}"
            assert [notified.recv(4096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            program.signal(signal.SIGTERM)
            assert next_but_life(notified) == "STOPPING=1"
            assert program.end() == 0


def test_systemd_hears_of_readiness_reloads_signs_of_life_and_the_end(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(folder / "notify.sock"))
        notified.settimeout(PATIENCE)
        environment = {"NOTIFY_SOCKET": str(folder / "notify.sock"), "WATCHDOG_USEC": "400000"}
        with running(
            folder, "run", "--port", "0", "--workers", "1", environment=environment
        ) as program:
            pid = program.process.pid
            assert notified.recv(4096).decode() == f"READY=1\nSTATUS=1 worker\nMAINPID={pid}"
            assert notified.recv(4096) == b"WATCHDOG=1"
            program.signal(signal.SIGHUP)
            reloading = next_but_life(notified)
            assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", reloading)
            assert abs(int(reloading.rpartition("=")[2]) / 1e6 - time.monotonic()) < PATIENCE
            assert next_but_life(notified).startswith("READY=1\nSTATUS=reloaded in")
            program.signal(signal.SIGTERM)
            assert next_but_life(notified) == "STOPPING=1"
            assert program.end() == 0


def next_but_life(notified: socket.socket) -> str:
    while (said := notified.recv(4096).decode()) == "WATCHDOG=1":
        pass
    return said


@pytest.mark.parametrize("options", [[], ["--workers", "2"]], ids=["alone", "workers"])
def test_sockets_that_systemd_hands_over_are_served(folder: Path, options: list[str]) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        descriptors = [one.fileno(), two.fileno()]
        starter = (
            "import os, sys\n"
            f"os.dup2({descriptors[0]}, 50); os.dup2({descriptors[1]}, 51)\n"
            "os.dup2(50, 3); os.dup2(51, 4)\n"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2')\n"
            "os.execv(sys.executable, [sys.executable, '-P', '-m', 'kingpost.cli', *sys.argv[1:]])\n"
        )
        (folder / "starter.py").write_text(starter)
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "starter.py", "run", "app.py", *options],
            cwd=folder,
            pass_fds=descriptors,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            for listener in (one, two):
                with socket.create_connection(
                    listener.getsockname(), timeout=PATIENCE
                ) as connection:
                    connection.sendall(GET.format("/", "*/*").encode())
                    assert "version 1" in read_all(connection)
        finally:
            process.terminate()
            _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said


# -- F12: memory -----------------------------------------------------------------------------------------------------


def private(pid: int) -> int:
    """Bytes that a process shares with no other."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(found) << 10 for found in re.findall(r"Private_\w+: +(\d+) kB", rollup))


def test_another_worker_has_less_than_8_mb_of_its_own(folder: Path) -> None:
    with running(folder, "run", "--port", "0", "--workers", "2") as program:
        program.until_said("is ready on")
        for pid, connection in connect_to_all(program.port, 2).items():
            for _ in range(200):
                connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                answer_of(connection)
            connection.close()
            assert private(pid) < 8_000_000, private(pid)


@pytest.mark.long
def test_workers_that_come_and_go_leave_nothing_in_the_supervisor(folder: Path) -> None:
    with running(
        folder, "run", "--port", "0", "--workers", "2", "--control", "control.sock"
    ) as program:
        program.until_said("is ready on")
        supervisor = Path(f"/proc/{program.process.pid}")

        def descriptors() -> int:
            return len(list((supervisor / "fd").iterdir()))

        for _ in range(3):
            assert reload(folder).returncode == 0
        program.until(lambda: len(templates_of(program)) == 1)
        before = (descriptors(), private(program.process.pid))
        for _ in range(40):
            assert reload(folder).returncode == 0
        program.until(lambda: len(templates_of(program)) == 1)

        program.until(lambda: descriptors() == before[0])
        assert private(program.process.pid) < before[1] * 1.05 + 500_000
