"""How `kingpost run` ends: by signals, with requests in flight, with handlers that do not return."""

import contextlib
import os
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.program import GET, Program, read_all, running
from tests.waiting import PATIENCE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")

APP = """
import asyncio, signal, time
from kingpost import App

app = App()

@app.get("/")
async def home() -> str:
    return "here"

@app.get("/slow")
async def slow() -> str:
    print("begun", flush=True)
    await asyncio.sleep(0.5)
    return "finished"

@app.get("/slow-def")
def slow_def() -> str:
    print("begun", flush=True)
    time.sleep(0.5)
    return "finished"

@app.get("/never")
async def never() -> str:
    print("begun", flush=True)
    await asyncio.Event().wait()
    return ""

@app.get("/holds-up")
async def holds_up() -> str:
    print("begun", flush=True)
    await asyncio.sleep(0.2)
    time.sleep(2)
    return "held up"

@app.get("/blocked")
async def blocked() -> str:
    heard = signal.getsignal(signal.SIGINT)

    def hear(number, frame):
        print("heard", flush=True)
        heard(number, frame)

    signal.signal(signal.SIGINT, hear)
    print("begun", flush=True)
    while True:
        pass

@app.get("/stuck")
def stuck() -> str:
    print("begun", flush=True)
    time.sleep(600)
    return ""
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


both = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
loops = pytest.mark.parametrize("loop", ["uvloop", "asyncio"])


@both
@loops
def test_a_signal_stops_an_idle_server_with_status_0(
    folder: Path, loop: str, number: signal.Signals
) -> None:
    with running(folder, "run", "--port", "0", "--loop", loop) as program:
        assert program.body() == "here"

        program.signal(number)

        assert program.end() == 0
    assert "Kingpost is ready on http://127.0.0.1:" in program.said
    assert program.said.endswith("Kingpost has stopped\n")
    assert "Traceback" not in program.said


@both
@pytest.mark.parametrize("path", ["/slow", "/slow-def"])
def test_a_signal_lets_requests_in_flight_finish(
    folder: Path, path: str, number: signal.Signals
) -> None:
    with running(folder, "run", "--port", "0") as program, program.connect() as connection:
        connection.sendall(GET.format(path, "*/*").encode())
        program.until_said("begun")

        program.signal(number)

        answer = read_all(connection)
        assert program.end() == 0
    assert answer.startswith("HTTP/1.1 200 OK")
    assert answer.endswith("finished")


def test_a_listening_socket_that_is_handed_over_is_served_and_stays_the_owners(
    folder: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        descriptor = listener.fileno()
        address = listener.getsockname()
        # Who connects before the server runs is served as well: nobody is refused while it is replaced.
        with socket.create_connection(address, timeout=PATIENCE) as early:
            early.sendall(GET.format("/", "*/*").encode())
            with running(
                folder, "run", "--fd", str(descriptor), descriptors=[descriptor]
            ) as program:
                assert program.port == address[1]
                assert read_all(early).endswith("\r\n\r\nhere")
                assert program.body() == "here"

                program.signal(signal.SIGTERM)

                assert program.end() == 0
        # The next server takes it over in turn.
        with running(folder, "run", "--fd", str(descriptor), descriptors=[descriptor]) as program:
            assert program.body() == "here"


def test_a_stopping_server_refuses_new_connections(folder: Path) -> None:
    arguments = ("run", "--port", "0", "--grace", "600")
    with running(folder, *arguments) as program, program.connect() as connection:
        connection.sendall(GET.format("/never", "*/*").encode())
        program.until_said("begun")
        program.signal(signal.SIGTERM)

        program.until(program.is_refusing)
        assert program.process.poll() is None


@both
@loops
def test_a_second_signal_ends_it_now(folder: Path, loop: str, number: signal.Signals) -> None:
    arguments = ("run", "--port", "0", "--loop", loop, "--grace", "600")
    with running(folder, *arguments) as program, program.connect() as connection:
        connection.sendall(GET.format("/never", "*/*").encode())
        program.until_said("begun")
        program.signal(number)
        # It has heard the first one.
        program.until(program.is_refusing)
        assert program.process.poll() is None

        program.signal(number)

        assert program.end() == 128 + number
    assert "stopped with 1 request unfinished" in program.said


def test_the_grace_ends_what_does_not_finish(folder: Path) -> None:
    arguments = ("run", "--port", "0", "--grace", "0.3")
    with running(folder, *arguments) as program, program.connect() as connection:
        connection.sendall(GET.format("/never", "*/*").encode())
        program.until_said("begun")

        program.signal(signal.SIGTERM)

        assert program.end() == 0
    assert "stopped with 1 request unfinished" in program.said


def test_what_the_grace_ends_is_told_though_the_loop_was_held_up_meanwhile(folder: Path) -> None:
    arguments = ("run", "--port", "0", "--grace", "0.3")
    with running(folder, *arguments) as program, program.connect() as one, program.connect() as two:
        for connection, path in ((one, "/never"), (two, "/holds-up")):
            connection.sendall(GET.format(path, "*/*").encode())
        program.until(lambda: program.said.count("begun") == 2)

        program.signal(signal.SIGTERM)

        assert program.end() == 0
    assert "stopped with 1 request unfinished" in program.said


@loops
def test_a_handler_that_blocks_the_loop_is_broken_by_a_second_signal(
    folder: Path, loop: str
) -> None:
    arguments = ("run", "--port", "0", "--loop", loop)
    with running(folder, *arguments) as program, program.connect() as connection:
        connection.sendall(GET.format("/blocked", "*/*").encode())
        program.until_said("begun")
        program.until_said("blocks the event loop")
        program.signal(signal.SIGINT)
        # Two that come before the program runs again would be one to it.
        program.until_said("heard")
        assert program.process.poll() is None

        program.signal(signal.SIGINT)

        assert program.end() == 130


HANGING = """
import asyncio
from kingpost import App

async def hang():
    print("hangs", flush=True)
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            {swallow}

async def guest(scope, receive, send):
    assert scope["type"] == "lifespan"
    assert (await receive())["type"] == "lifespan.startup"
    await send({{"type": "lifespan.startup.complete"}})
    assert (await receive())["type"] == "lifespan.shutdown"
    await hang()

app = App()

@app.lifespan
async def last():
    yield
    print("last closed", flush=True)

{hangs}

@app.get("/")
async def home() -> str:
    return "here"
"""
OURS = "@app.lifespan\nasync def ours():\n    yield\n    await hang()"
THEIRS = 'app.mount("/theirs", guest)'


@pytest.mark.parametrize(
    ("hangs", "swallow", "is_closed"),
    [
        (OURS, "raise", True),
        (OURS, "pass", False),
        (THEIRS, "pass", True),
    ],
    ids=["ours", "ours for good", "a guest's for good"],
)
def test_a_clean_up_that_hangs_is_cut_off_and_the_others_are_made(
    tmp_path: Path, hangs: str, swallow: str, *, is_closed: bool
) -> None:
    (tmp_path / "app.py").write_text(HANGING.format(hangs=hangs, swallow=swallow))
    with running(tmp_path, "run", "--port", "0", "--grace", "0.2") as program:
        assert program.body() == "here"

        program.signal(signal.SIGTERM)

        assert program.end() == 1
    assert "what the app does when it stops has not ended in time, and is cut off" in program.said
    assert "cancelled" in program.said
    # What swallows that it is cancelled keeps what was opened before it from being closed.
    assert ("last closed" in program.said) is is_closed
    assert ("what was cut off does not end: leaving it" in program.said) is not is_closed


@pytest.mark.parametrize("swallow", ["raise", "pass"])
def test_signals_end_a_clean_up_that_hangs_however_long_the_grace(
    tmp_path: Path, swallow: str
) -> None:
    (tmp_path / "app.py").write_text(HANGING.format(hangs=THEIRS, swallow=swallow))
    with running(tmp_path, "run", "--port", "0", "--grace", "600") as program:
        assert program.body() == "here"
        program.signal(signal.SIGTERM)
        program.until_said("hangs")

        def ask() -> bool:
            program.signal(signal.SIGTERM)
            return program.process.poll() is not None

        program.until(ask)
        # The last one may come when nobody listens to signals any more.
        assert program.end() in (128 + signal.SIGTERM, -signal.SIGTERM)


STARTING = """
import asyncio
from kingpost import App

app = App()

@app.lifespan
async def start():
    print("starting", flush=True)
    await asyncio.sleep(600)
    yield
"""


def test_a_start_that_hangs_is_cut_off_when_the_server_is_told_to_stop(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(STARTING)
    with running(tmp_path, "run", "--port", "0", "--grace", "0.2") as program:
        program.until_said("starting")
        program.signal(signal.SIGTERM)
        assert program.end() == 1
    assert "what the app does when it starts has not ended in time" in program.said


def test_a_thread_that_does_not_return_does_not_hold_up_the_end(folder: Path) -> None:
    arguments = ("run", "--port", "0", "--grace", "0.2")
    with running(folder, *arguments) as program, program.connect() as connection:
        connection.sendall(GET.format("/stuck", "*/*").encode())
        program.until_said("begun")

        program.signal(signal.SIGTERM)

        assert program.end() == 0
    assert "leaving while user code still runs on kingpost-worker-" in program.said


@pytest.mark.parametrize("options", [[], ["--workers", "1"]], ids=["alone", "workers"])
def test_signals_that_open_logs_anew_elsewhere_end_no_request(
    folder: Path, options: list[str]
) -> None:
    with running(folder, "run", "--port", "0", *options) as program:
        with program.connect() as connection:
            connection.sendall(GET.format("/slow", "*/*").encode())
            program.until_said("begun")
            for number in (signal.SIGUSR1, signal.SIGUSR2):
                program.signal(number, group=True)
                program.until_said(f"{number.name} does nothing here")
            assert read_all(connection).endswith("finished")
        assert program.body() == "here"
        program.signal(signal.SIGTERM)
        assert program.end() == 0


def test_one_process_alone_serves_on_when_it_is_told_to_reload_and_says_what_reloads(
    folder: Path,
) -> None:
    with running(folder, "run", "--port", "0") as program:
        with program.connect() as connection:
            connection.sendall(GET.format("/slow", "*/*").encode())
            program.until_said("begun")
            program.signal(signal.SIGHUP)
            program.until_said("SIGHUP reloads nothing here: .*--workers 1")
            assert read_all(connection).endswith("finished")
        assert program.body() == "here"
        program.signal(signal.SIGTERM)
        assert program.end() == 0


# A command that was started in a terminal: it leads a session there, as a shell does. SIGUSR1 closes the terminal.
IN_TERMINAL = """
import os, pty, signal, sys

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
output = os.dup(1)
pid, terminal = pty.fork()
if pid == 0:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    for number in (1, 2):
        os.dup2(output, number)
    if sys.argv[1] == "nohup":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.execv(sys.executable, [sys.executable, "-P", *sys.argv[2:]])
print(f"its number is {pid}", flush=True)
signal.sigwait([signal.SIGUSR1])
os.close(terminal)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@contextmanager
def in_terminal(folder: Path, how: str, *arguments: str) -> Generator[tuple[Program, int]]:
    """A command in a terminal of its own, and the number of its process."""
    (folder / "terminal.py").write_text(IN_TERMINAL)
    with running(folder, *arguments, under=["terminal.py", how]) as program:
        pid = int(program.until_said(r"its number is (\d+)")[1])
        try:
            yield program, pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("options", [[], ["--workers", "1"]], ids=["alone", "workers"])
def test_a_terminal_that_is_closed_lets_requests_finish(folder: Path, options: list[str]) -> None:
    with in_terminal(folder, "as it is", "run", "--port", "0", *options) as (program, _):
        with program.connect() as connection:
            connection.sendall(GET.format("/slow", "*/*").encode())
            program.until_said("begun")
            program.signal(signal.SIGUSR1)
            assert read_all(connection).endswith("finished")
        assert program.end() == 0
    assert "Kingpost has stopped" in program.said


@pytest.mark.parametrize("options", [[], ["--workers", "1"]], ids=["alone", "workers"])
def test_under_nohup_a_terminal_that_is_closed_stops_nothing(
    folder: Path, options: list[str]
) -> None:
    with in_terminal(folder, "nohup", "run", "--port", "0", *options) as (program, pid):
        assert program.body() == "here"
        program.signal(signal.SIGUSR1)
        if options:
            program.until_said("reloaded in")
        assert program.body() == "here"
        os.kill(pid, signal.SIGTERM)
        assert program.end() == 0
    assert "Kingpost has stopped" in program.said


def test_a_port_in_use_is_refused_in_one_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(folder, "run", "--port", str(port)) as program:
            assert program.end() == 1

    assert f"error: port {port} on 127.0.0.1 is in use" in program.said
    assert "Traceback" not in program.said


def test_the_port_of_the_environment_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running(folder, "run", environment={"PORT": str(port)}) as program:
        assert program.body() == "here"
        assert program.port == port


LASTING = """
import asyncio
from collections.abc import AsyncIterator
from kingpost import App
from kingpost.http import Event

app = App()

@app.lifespan
async def first():
    print("first opened", flush=True)
    yield
    print("first closed", flush=True)

@app.lifespan
def second():
    print("second opened", flush=True)
    yield
    print("second closed", flush=True)

@app.get("/")
async def home() -> str:
    return "here"

@app.get("/events")
async def events() -> AsyncIterator[Event[str]]:
    try:
        yield Event("begun")
        await asyncio.Event().wait()
    finally:
        print("stream closed", flush=True)
"""


@both
@loops
def test_what_the_app_has_opened_is_closed_in_reverse(
    tmp_path: Path, loop: str, number: signal.Signals
) -> None:
    (tmp_path / "app.py").write_text(LASTING)
    with running(tmp_path, "run", "--port", "0", "--loop", loop) as program:
        assert program.body() == "here"

        program.signal(number)

        assert program.end() == 0
    told = [line for line in program.said.splitlines() if line.endswith(("opened", "closed"))]
    assert told == ["first opened", "second opened", "second closed", "first closed"]


@loops
@pytest.mark.parametrize("driver", ["native", "asyncio"])
def test_a_stream_of_events_ends_with_the_server_and_not_with_its_grace(
    tmp_path: Path, loop: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINGPOST_DRIVER", driver)
    (tmp_path / "app.py").write_text(LASTING)
    arguments = ("run", "--port", "0", "--loop", loop, "--grace", "600")
    with running(tmp_path, *arguments) as program, program.connect() as connection:
        connection.sendall(GET.format("/events", "*/*").encode())
        begun = connection.recv(65536)
        while b"begun" not in begun:
            begun += connection.recv(65536)

        program.signal(signal.SIGTERM)

        rest = read_all(connection)
        assert program.end() == 0
    # The last chunk of the transfer: the browser sees an end, and no failure.
    assert rest == "0\r\n\r\n"
    assert "stream closed" in program.said
    assert "unfinished" not in program.said


BEHIND = """
import asyncio
from kingpost import App, BackgroundTasks

app = App()

async def wait(seconds: float) -> None:
    await asyncio.sleep(seconds)
    print("made after", seconds, flush=True)

@app.get("/{seconds}")
async def later(seconds: float, background: BackgroundTasks) -> str:
    background.add_task(wait, seconds)
    return "answered"
"""


def test_what_follows_answers_is_awaited_up_to_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(BEHIND)
    with running(tmp_path, "run", "--port", "0", "--grace", "3") as program:
        assert program.body("/0.3") == program.body("/600") == "answered"

        program.signal(signal.SIGTERM)

        assert program.end() == 0
    assert "made after 0.3" in program.said
    assert "made after 600" not in program.said
