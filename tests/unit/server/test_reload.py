"""The supervisor with workers that are no more than their side of the protocol: no engine, no App."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kingpost.server import reload
from kingpost.server.listen import Address, Listener, open_listeners
from kingpost.server.reload import Supervisor
from tests.saving import save
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and signals")

WORKER = """
import os, runpy, signal, socket, sys, threading, time
from kingpost.server.child import Failure, ReloadedChild

signal.signal(signal.SIGINT, signal.SIG_IGN)
child = ReloadedChild.from_environment()
state = {"notice": "", "stop": False}

def obey(order, failure):
    if order == "notice":
        state["notice"] = failure.summary
    elif order in ("stop", "now"):
        state["stop"] = True

try:
    answer = runpy.run_path(sys.argv[1], {"child": child})["answer"]
except BaseException as error:
    child.broken(Failure(repr(error), "report of " + repr(error)))
    if child.wait_for_order() != "show":
        sys.exit()
    answer = "broken: " + repr(error)
child.obey(obey)
listener = socket.socket(fileno=child.listening[0])
listener.settimeout(0.02)
child.ready()
while not state["stop"]:
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        continue
    with connection:
        text = answer() if callable(answer) else answer
        connection.sendall(f"{text}|{state['notice']}|{os.getpid()}".encode())
listener.close()
time.sleep(0.15)
open(sys.argv[1] + ".left", "w").close()
child.left()
time.sleep(0.15)
"""


class Project:
    """A file that is served, and the supervisor that serves it on a thread."""

    def __init__(self, folder: Path, text: str) -> None:
        self.file = folder / "project" / "app.py"
        self.file.parent.mkdir()
        self.file.write_text(text)
        self.worker = folder / "worker.py"
        self.worker.write_text(WORKER)
        self.listener: Listener = open_listeners(Address(port=0))[0]
        self.said: list[str] = []
        self.supervisor = Supervisor(
            [sys.executable, str(self.worker), str(self.file)],
            [self.listener],
            [self.file.parent],
            self.said.append,
        )
        self.status: int | None = None

    def write(self, text: str) -> None:
        save(self.file, text)

    def ask(self) -> tuple[str, str, int]:
        """What the worker says, its notice, and its process."""
        address = self.listener.socket.getsockname()
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            text = b""
            while piece := connection.recv(65536):
                text += piece
        said, notice, pid = text.decode().split("|")
        return said, notice, int(pid)

    def ask_until(self, said: str) -> tuple[str, str, int]:
        """The first answer that says this: for a moment the old worker accepts connections, too."""
        answer = ("", "", 0)

        def is_said() -> bool:
            nonlocal answer
            answer = self.ask()
            return answer[0] == said

        self.until(is_said)
        return answer

    def until(self, condition: Callable[[], bool]) -> None:
        until(condition, shows=lambda: self.said)

    def run(self) -> None:
        self.status = self.supervisor.run()


@contextmanager
def supervised(folder: Path, text: str) -> Generator[Project]:
    project = Project(folder, text)
    thread = threading.Thread(target=project.run)
    thread.start()
    try:
        yield project
    finally:
        project.supervisor._on_signal(signal.SIGTERM)
        thread.join(15)
        project.listener.close()
        assert not thread.is_alive()


def test_a_change_is_served_by_a_new_worker(tmp_path: Path) -> None:
    with supervised(tmp_path, "answer = 'one'") as project:
        first = project.ask()
        project.write("answer = 'two'")
        second = project.ask_until("two")
        project.until(lambda: len(project.said) > 1)

    assert first[0] == "one"
    assert first[2] != second[2]
    assert any(line.startswith("reloaded in") for line in project.said)


def test_a_reload_is_told_when_the_old_worker_has_let_go_of_the_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The old worker may take as long as it likes.
    monkeypatch.setattr(reload, "_LEAVE_GRACE", PATIENCE)
    told: list[bool] = []
    with supervised(tmp_path, "answer = 'one'") as project:
        project.ask()
        left = Path(f"{project.file}.left")
        project.supervisor._say = lambda line: told.append(left.exists())
        project.write("answer = 'two'")
        project.until(lambda: len(told) > 1)

    assert told == [False, True]


def test_a_file_that_is_emptied_before_it_is_written_is_one_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The two looks may be as far apart as they like.
    monkeypatch.setattr(reload, "_SETTLE_MOST", PATIENCE)
    with supervised(tmp_path, "answer = 'one'") as project:
        project.ask()
        looks = iter([[project.file], [project.file, tmp_path / "other.py"], []])
        project.supervisor._watcher.changed = lambda: next(looks, [])  # type: ignore[method-assign] # steps of an editor
        project.until(lambda: any("reloaded in" in line for line in project.said))

    assert project.said[0] == f"{tmp_path / 'other.py'} and 1 more changed: reloading"
    assert len(project.said) == 2


def test_workers_that_speak_make_a_change_settle_no_earlier(tmp_path: Path) -> None:
    supervisor = Supervisor([], [], [tmp_path], print)
    supervisor._hear = lambda seconds: None  # type: ignore[method-assign] # somebody always has something to say
    begun = time.monotonic()

    assert supervisor._settled([tmp_path / "app.py"]) == [tmp_path / "app.py"]

    assert time.monotonic() - begun >= reload._SETTLE


def test_files_that_never_stop_changing_are_served_all_the_same(tmp_path: Path) -> None:
    with supervised(tmp_path, "answer = 'one'") as project:
        first = project.ask()
        project.supervisor._watcher.changed = lambda: [project.file]  # type: ignore[method-assign] # written all the time
        project.until(lambda: project.said != [])
        del project.supervisor._watcher.changed
        project.until(lambda: project.ask()[2] != first[2])


def test_what_a_starting_worker_writes_itself_is_no_change(tmp_path: Path) -> None:
    program = """
    import time
    from pathlib import Path
    if not Path(__file__).with_name(".env").exists():
        child.writing(Path(__file__).with_name(".env"))
        Path(__file__).with_name(".env").write_text("KEY=1")
        time.sleep(0.5)
    answer = 'one'
    """
    with supervised(tmp_path, textwrap.dedent(program)) as project:
        first = project.ask()
        # By then it has seen what the worker wrote.
        project.until(lambda: not project.supervisor._expected)
        assert project.ask() == first
        assert project.said == []

        # What a person writes there afterwards is one.
        project.file.with_name(".env").write_text("KEY=22")
        project.until(lambda: project.ask()[2] != first[2])
        assert ".env changed: reloading" in project.said[0]


def test_no_connection_is_refused_or_cut_while_code_changes(tmp_path: Path) -> None:
    with supervised(tmp_path, "answer = 0") as project:
        project.ask()
        for number in range(1, 4):
            project.write(f"answer = {number}")
            # By many connections: one that is refused or cut raises here.
            project.ask_until(str(number))


def test_code_that_does_not_run_leaves_the_old_code_serving_with_a_notice(tmp_path: Path) -> None:
    with supervised(tmp_path, "answer = 'good'") as project:
        pid = project.ask()[2]
        project.write("answer = ")
        project.until(lambda: project.ask()[1] != "")
        said, notice, still = project.ask()
        project.write("answer = 'mended'")
        mended = project.ask_until("mended")

    assert (said, still) == ("good", pid)
    assert "SyntaxError" in notice
    assert mended[1] == ""
    assert any("report of SyntaxError" in line for line in project.said)


def test_code_that_never_ran_is_shown_until_it_is_mended(tmp_path: Path) -> None:
    with supervised(tmp_path, "raise LookupError('no')") as project:
        first = project.ask()[0]
        project.write("raise LookupError('still no')")
        project.until(lambda: "still no" in project.ask()[0])
        project.write("answer = 'good'")
        project.until(lambda: project.ask()[0] == "good")

    assert first.startswith("broken: LookupError('no'")


def test_a_change_while_a_worker_starts_replaces_that_worker(tmp_path: Path) -> None:
    with supervised(tmp_path, "answer = 'one'") as project:
        project.ask()
        project.write("import time; time.sleep(60); answer = 'never'")
        project.until(lambda: any("reloading" in line for line in project.said))
        project.write("answer = 'two'")
        project.until(lambda: project.ask()[0] == "two")


def test_a_worker_that_dies_is_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path, "answer = 'one'") as project:
        pid = project.ask()[2]
        time.sleep(1.1)
        os.kill(pid, signal.SIGKILL)
        project.until(lambda: project.ask()[2] != pid)

    assert any("ended with status -9: starting it again" in line for line in project.said)


def test_a_worker_that_dies_at_once_waits_for_a_change(tmp_path: Path) -> None:
    with supervised(tmp_path, "import os; os._exit(7)") as project:
        project.until(lambda: any("ended with status 7" in line for line in project.said))
        time.sleep(0.5)
        assert sum("ended with status" in line for line in project.said) == 1
        project.write("answer = 'good'")
        project.until(lambda: project.ask()[0] == "good")


def test_a_signal_while_a_change_settles_ends_the_worker_of_the_change_too(tmp_path: Path) -> None:
    with supervised(tmp_path, "answer = 'one'") as project:
        project.ask()
        looks = iter([[project.file]])

        def signalled() -> list[Path]:
            if changed := next(looks, []):
                project.supervisor._on_signal(signal.SIGTERM)
            return changed

        project.supervisor._watcher.changed = signalled  # type: ignore[method-assign] # as it may come at any time
        # No second signal is needed.
        project.until(lambda: project.status is not None)


def test_the_workers_end_with_the_supervisor(tmp_path: Path) -> None:
    with supervised(tmp_path, "answer = 'one'") as project:
        pid = project.ask()[2]

    assert project.status == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    project = Project(tmp_path, "answer = 'one'")
    program = textwrap.dedent(
        f"""
        from pathlib import Path
        from kingpost.server.listen import inherit
        from kingpost.server.reload import Supervisor
        command = [{sys.executable!r}, {str(project.worker)!r}, {str(project.file)!r}]
        listener = inherit({project.listener.socket.fileno()})
        Supervisor(command, [listener], [Path({str(project.file.parent)!r})], print).run()
        """
    )
    fd = project.listener.socket.fileno()
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], pass_fds=[fd]
    ) as supervisor:
        pid = project.ask()[2]
        supervisor.kill()

    project.until(lambda: not is_alive(pid))
    project.listener.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan whose new parent does not collect it is dead all the same.
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
