"""`kingpost shell`: a prompt, or a program, with the app and what its handlers are given."""

from __future__ import annotations

import copy
import os
import select
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kingpost.cli import shell
from kingpost.cli.commands import kingpost
from tests.waiting import PATIENCE

APP = """
from collections.abc import AsyncIterator, Iterator

from kingpost import App, Request, Settings, current_app

class AppSettings(Settings):
    greeting: str = "Hello"

class Store: ...

class Row:
    def __init__(self, store):
        self.store = store

class Later:
    async def word(self):
        return "later"

class Asked: ...

app = App(settings=AppSettings)

@app.provide(scope="app")
async def store() -> AsyncIterator[Store]:
    print("opened")
    yield Store()
    print("closed")

@app.provide
def row(store: Store) -> Iterator[Row]:
    print("begun")
    try:
        response = yield Row(store)
        print("committed", response.status)
    except ValueError as error:
        print("rolled back:", error)

@app.provide
async def later() -> AsyncIterator[Later]:
    yield Later()
    print("later over")

@app.provide
def asked(request: Request) -> Asked:
    return Asked()

@app.get("/")
def home() -> str:
    return "Hello, world!"
"""


@pytest.fixture(autouse=True)
def written(folder: Path) -> None:
    (folder / "app.py").write_text(APP)


def run(program: str) -> Result:
    return CliRunner().invoke(kingpost, ["shell", "-c", program])


def piped(program: str) -> Result:
    return CliRunner().invoke(kingpost, ["shell"], input=program)


@pytest.mark.parametrize("call", [run, piped])
def test_a_program_finds_the_app_and_what_belongs_to_it(call: Any) -> None:
    result = call(
        "from app import app as mine, current_app\n"
        "print(app is mine is current_app(), settings.greeting, url_for('home'))\n"
        "print(client.get('/').text)\n"
    )

    assert result.output == "True Hello /\nHello, world!\n"
    assert result.exit_code == 0


def test_nothing_is_made_that_nobody_asks_for() -> None:
    assert run("print('here')").output == "here\n"


def test_get_gives_what_a_handler_would_be_given_and_it_is_finished_at_the_end() -> None:
    result = run("from app import *\nprint(get(Row).store is get(Store), get(Row) is get(row))")

    assert result.output.splitlines() == ["opened", "begun", "True True", "committed 200", "closed"]


def test_await_works_beside_what_blocks() -> None:
    result = run(
        "from app import *\n"
        "async def shout(later):\n    return (await later.word()).upper()\n"
        "print(await get(Later).word(), await shout(get(Later)), [await shout(get(Later)) for _ in 'x'])"
    )

    assert result.output.splitlines() == ["later LATER ['LATER']", "later over"]


def test_a_program_that_fails_rolls_back_and_says_so() -> None:
    result = run("from app import *\nget(Row)\nraise ValueError('no')")

    assert result.exit_code == 1
    assert "rolled back: no" in result.output.splitlines()
    assert 'File "<command>", line 3' in result.output


@pytest.mark.parametrize(
    "program", ["get(Row)\nraise ValueError('no')", "get(Store)\nraise ValueError('no')"]
)
def test_what_lasts_is_finished_where_the_program_fails(program: str) -> None:
    result = run(f"from app import *\n{program}")

    assert result.exit_code == 1
    assert "closed" in result.output.splitlines()


def test_what_lasts_is_finished_where_something_else_cannot_be() -> None:
    result = run(
        "from app import *\n"
        "class Broken: ...\n"
        "def broken(store: Store):\n    yield Broken()\n    raise OSError('cannot')\n"
        "get(broken)"
    )

    assert repr(result.exception) == "OSError('cannot')"
    assert "closed" in result.output.splitlines()


@pytest.mark.parametrize(
    "program",
    [
        "print([await word(n) async for n in numbers()])",
        "print([n async for n in numbers()] if await word(True) else 0)",
        "async with nullcontext():\n    print([await word(1), 2])\nawait word(3)",
    ],
)
def test_await_beside_what_only_a_coroutine_can_do(program: str) -> None:
    result = run(
        "from contextlib import nullcontext\n"
        "async def word(n):\n    return n\n"
        f"async def numbers():\n    yield 1\n    yield 2\n{program}"
    )

    assert result.output == "[1, 2]\n"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (
            "get(int)",
            "LookupError: nothing in this app makes int; there are Asked, Later, Row, Store",
        ),
        ("from app import *\nget(Asked)", "injection.scope"),
        ("async with 3:\n    get(int)", "TypeError"),
        ("x = (", "SyntaxError"),
        (
            "async with __import__('contextlib').nullcontext():\n    get(settings.__class__)\n    import app; get(app.Row)",
            "call it in a line of its own",
        ),
    ],
)
def test_what_cannot_be_is_told(program: str, words: str) -> None:
    result = run(program)

    assert result.exit_code == 1
    assert words in result.output


@pytest.mark.parametrize(("program", "status"), [("exit(3)", 3), ("exit()", 0), ("exit('no')", 1)])
def test_a_program_may_say_with_what_it_ends(program: str, status: int) -> None:
    assert run(f"import sys; sys.{program}").exit_code == status


def test_an_app_without_settings_and_providers_has_a_shell() -> None:
    Path("small.py").write_text("from kingpost import App\napp = App()\n")
    result = CliRunner().invoke(
        kingpost, ["shell", "--app", "small.py", "-c", "print(type(settings).__name__)\nget(str)"]
    )

    assert "Settings\n" in result.output
    assert "it has no providers" in result.output


def test_a_prompt_reads_statements_that_take_several_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def word() -> str:
        return "word"

    def wait(awaitable: Any) -> Any:
        try:
            awaitable.send(None)
        except StopIteration as stop:
            return stop.value

    console = shell.Console({"word": word}, wait)
    lines = ["1 + 1", "for n in range(2):", "    print(n)", "", "await word()", "1 +", "1 / 0"]
    more = [console.push(line) for line in lines]

    told = capsys.readouterr()
    assert more == [False, True, True, False, False, False, False]
    assert told.out.splitlines() == ["2", "0", "1", "'word'"]
    assert "SyntaxError" in told.err
    assert "ZeroDivisionError" in told.err
    with pytest.raises(SystemExit):
        console.push("raise SystemExit")


def test_a_terminal_gets_a_prompt() -> None:
    pty = pytest.importorskip("pty", reason="this system has no terminals of this kind")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kingpost.cli", "shell", "--plain"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(theirs)
    try:
        said = answered(ours, ">>> ")
        assert "get(T)" in said
        os.write(ours, b"from app import *; await get(Later).word()\n")
        assert "'later'" in answered(ours, ">>> ")
        os.write(ours, b"exit()\n")
        assert "later over" in answered(ours, "later over")
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def answered(terminal: int, end: str) -> str:
    """What a terminal shows until `end`."""
    text = ""
    while not text.rstrip("\r\n").endswith(end.rstrip("\r\n")):
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        assert ready, text
        try:
            text += os.read(terminal, 4096).decode()
        except OSError as error:
            raise AssertionError(
                f"nobody is at the other end any more, and said: {text}"
            ) from error
    return text


def test_ipython_is_given_the_same_names(monkeypatch: pytest.MonkeyPatch) -> None:
    class Config(dict[str, Any]):
        def __getattr__(self, name: str) -> Any:
            return self.setdefault(name, SimpleNamespace())

    started: dict[str, Any] = {}
    ipython, traitlets = ModuleType("IPython"), ModuleType("traitlets.config")
    ipython.start_ipython = lambda **options: started.update(options)  # type: ignore[attr-defined]  # a module made here
    traitlets.Config = Config  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "traitlets.config", traitlets)
    ran: list[object] = []

    shell.with_ipython(SimpleNamespace(), {"get": 1}, SimpleNamespace(run=ran.append))  # type: ignore[arg-type]  # stands in for an App

    assert started["user_ns"] == {"get": 1}
    copy.deepcopy(started["config"].InteractiveShell.loop_runner)("awaited")
    assert ran == ["awaited"]
    assert "get(T)" in started["config"].TerminalInteractiveShell.banner2
