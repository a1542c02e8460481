"""Commands that an App has of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kingpost import App
from kingpost.testing import TestClient
from tests.unit.cli.calling import call

APP = '''
import datetime
import enum
from collections.abc import AsyncIterator, Iterator

from kingpost import App, Request, Settings, current_app

class AppSettings(Settings):
    greeting: str = "Hello"

class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"

class Store:
    def __init__(self, log):
        self.log = log

class Pool:
    pass

app = App(settings=AppSettings)

@app.provide(scope="app")
async def store() -> AsyncIterator[Store]:
    print("opened")
    yield Store([])
    print("closed")

@app.provide
def pool(store: Store) -> Iterator[Pool]:
    print("begun")
    try:
        response = yield Pool()
        print("committed", response.status)
    except ValueError:
        print("rolled back")

class Asked:
    pass

@app.provide
def asked(request: Request) -> Asked:
    return Asked()

@app.extensions.command
def greet(name: str, settings: AppSettings, times: int = 1, *, loud: bool = False, last_words: str | None = None) -> None:
    """Say hello.

    As often as one likes.
    """
    for _ in range(times):
        line = f"{settings.greeting}, {name}!"
        print(line.upper() if loud else line)
    if last_words:
        print(last_words)
    assert current_app() is app

@app.extensions.command
def count(names: list[str], store: Store, since: datetime.date = datetime.date(2026, 1, 2), /) -> None:
    print(len(names), since.isoformat(), type(store).__name__)

@app.extensions.command(name="paint")
async def paint_it(colour: Colour, sizes: list[int] = [1]) -> None:
    print(colour.name, sizes)

@app.extensions.command
def bad(request: Request) -> None: ...

@app.extensions.command
def worse(asked: Asked) -> None: ...

@app.extensions.command
def fill(pool: Pool, again: Pool, *, wrong: bool = False) -> None:
    print("filled", again is pool)
    if wrong:
        raise ValueError("wrong")

@app.extensions.command
async def drain(pool: Pool) -> None:
    print("drained", type(pool).__name__)
'''


@pytest.fixture(autouse=True)
def program(folder: Path) -> None:
    (folder / "app.py").write_text(APP)


def test_parameters_are_arguments_options_and_flags() -> None:
    assert call("greet", "Ann").output == "Hello, Ann!\n"
    assert call("greet", "--times", "2", "Ann", "--loud").output == "HELLO, ANN!\n" * 2
    assert call("greet", "Ann", "--last-words", "bye").output == "Hello, Ann!\nbye\n"


def test_what_providers_of_scope_app_make_is_there_and_finished() -> None:
    result = call("count", "--since", "2026-03-31", "a", "b", "c")

    assert result.output == "opened\n3 2026-03-31 Store\nclosed\n"


def test_what_providers_make_for_a_request_is_made_for_the_command_once_and_finished() -> None:
    steps = ["opened", "begun", "filled True", "committed 200", "closed"]

    assert call("fill").output.splitlines() == steps
    assert call("drain").output.splitlines() == [*steps[:2], "drained Pool", *steps[3:]]


class Session:
    def __init__(self, name: str) -> None:
        self.name = name


def test_one_provider_serves_a_handler_a_command_and_the_shell_and_may_be_overridden() -> None:
    app, made, told = App(), list[str](), list[str]()

    @app.provide
    def session() -> Iterator[Session]:
        made.append("begun")
        yield Session("real")
        made.append("over")

    @app.get("/")
    def home(session: Session) -> str:
        return session.name

    @app.extensions.command
    def tell(session: Session) -> None:
        told.append(session.name)

    def names() -> list[str]:
        app.__command__("tell").run({})
        outside = app.__outside__()
        by_shell = outside.get(Session).name
        outside.close()
        with TestClient(app) as client:
            return [client.get("/").text, told[-1], by_shell]

    assert names() == ["real"] * 3
    assert made == ["begun", "over"] * 3
    with app.override(Session, Session("fake")):
        assert names() == ["fake"] * 3
    assert names() == ["real"] * 3


def test_a_command_that_fails_has_its_exception_thrown_into_providers() -> None:
    result = call("fill", "--wrong")

    assert isinstance(result.exception, ValueError)
    assert result.output.splitlines() == ["opened", "begun", "filled True", "rolled back", "closed"]


def test_an_async_command_runs_on_a_loop() -> None:
    assert call("paint", "red").output == "RED [1]\n"
    assert call("paint", "blue", "--sizes", "2", "--sizes", "3").output == "BLUE [2, 3]\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("greet",), "Missing argument 'NAME'"),
        (("greet", "Ann", "--times", "many"), "'many': must be a whole number in digits"),
        (("paint", "green"), "must be one of"),
        (("greet", "Ann", "--quiet"), "No such option"),
        (("greeet", "Ann"), "Did you mean: greet?"),
    ],
)
def test_mistakes_are_told(arguments: tuple[str, ...], words: str) -> None:
    result = call(*arguments)

    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize("name", ["bad", "worse"])
def test_what_is_there_during_a_request_only_is_refused(name: str) -> None:
    result = call(name)

    assert result.exit_code == 1
    assert "a command answers no request" in result.output
    assert "injection.scope" in result.output


def test_help_is_the_docstring() -> None:
    output = call("greet", "--help").output

    assert "NAME" in output
    assert "As often as one likes." in output
    assert "--loud / --no-loud" in output
    assert "--app TARGET" in output


def test_commands_lists_them_with_their_places() -> None:
    lines = call("commands").output.splitlines()

    assert lines[0].split() == ["greet", "Say", "hello.", "app.py:46"]
    names = ["greet", "count", "paint", "bad", "worse", "fill", "drain"]
    assert [line.split()[0] for line in lines] == names


def test_another_app_is_named_with_app(folder: Path) -> None:
    (folder / "other.py").write_text(
        "from kingpost import App\napp = App()\n@app.extensions.command\ndef hi() -> None:\n    print('hi')\n"
    )
    (folder / "none.py").write_text("from kingpost import App\napp = App()\n")

    assert call("hi", "--app", "other.py").output == "hi\n"
    assert call("hi", "--app=other").output == "hi\n"
    assert "no commands of its own" in call("commands", "--app", "none.py").output
    assert call("hi", "--app", "nowhere.py").exit_code == 1


def test_without_an_app_a_wrong_word_is_a_wrong_word(folder: Path) -> None:
    (folder / "app.py").unlink()
    result = call("rnu")

    assert result.exit_code == 2
    assert "Did you mean: run?" in result.output


def test_a_missing_plugin_is_told_before_anything_runs(folder: Path) -> None:
    (folder / "app.py").write_text(
        "from kingpost import App\n"
        "class P:\n    name = 'p'\n    requires = ['q']\n    def install(self, app): ...\n"
        "app = App()\napp.install(P())\n"
        "@app.extensions.command\ndef hi() -> None:\n    print('hi')\n"
    )
    result = call("hi")

    assert "plugins.missing" in result.output
    assert "hi\n" not in result.output
