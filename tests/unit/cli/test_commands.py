import subprocess
import sys
from pathlib import Path

import pytest

from kingpost.cli import run
from kingpost.cli.commands import kingpost
from kingpost.server.processes import Processes
from tests.unit.cli.calling import call

APP = """
from kingpost import App, Settings

class AppSettings(Settings):
    greeting: str = "hello"

app = App(settings=AppSettings)

@app.get("/")
def home() -> str:
    return "Hello, world!"

@app.route("/todos/{id:int}", methods=["GET", "POST"], name="todo")
async def todo(id: int) -> str:
    return str(id)
"""


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_begins_with_what_to_type(arguments: tuple[str, ...]) -> None:
    result = call(*arguments)

    assert result.exit_code == 0
    assert "kingpost dev hello.py" in result.output
    assert '@app.get("/")' in result.output


def test_the_app_in_the_help_is_one_that_runs(folder: Path) -> None:
    lines = call().output.splitlines()
    first = next(number for number, line in enumerate(lines) if "from kingpost" in line)
    last = next(number for number, line in enumerate(lines) if "return" in line)
    program = "\n".join(line.removeprefix("      ") for line in lines[first : last + 1])
    (folder / "hello_help.py").write_text(program)

    assert "home" in call("routes", "hello_help.py").output


def test_every_command_says_what_it_does() -> None:
    for name, command in kingpost.commands.items():  # type: ignore[attr-defined]  # click's decorators hide the class
        assert command.get_short_help_str(), name


@pytest.mark.parametrize("name", ["check", "openapi", "dev", "run"])
def test_only_commands_that_serve_promise_applications_of_others(name: str, folder: Path) -> None:
    (folder / "theirs.py").write_text("def app(environ, start_response): return []\n")
    help_text = call(name, "--help").output

    if name in ("dev", "run"):
        assert "any application of ASGI 3 or WSGI" in help_text
    else:
        assert "any application" not in help_text
        assert "An app is an App of Kingpost here" in help_text
        result = call(name, "theirs.py")
        assert result.exit_code != 0
        assert "front.mount" in result.output


def test_help_imports_neither_the_engine_nor_asyncio() -> None:
    program = (
        "import sys, kingpost.cli.commands as c\n"
        "c.kingpost(['--help'], standalone_mode=False)\n"
        "print('heavy:', sorted({'asyncio', 'msgspec', 'kingpost._native', 'uvloop'} & set(sys.modules)))"
    )

    said = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert said.stdout.endswith("heavy: []\n")


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    result = call("rotues")

    assert result.exit_code == 2
    assert "There is no command 'rotues'. Did you mean: routes?" in result.output


@pytest.mark.parametrize("word", ["hello.py", "shop.web:app"])
def test_an_app_without_a_command_is_answered_with_one(word: str) -> None:
    assert f"kingpost dev {word}" in call(word).output


@pytest.mark.parametrize(
    "arguments", [("routes", "app.py"), ("routes",), ("routes", "--app", "app")]
)
def test_routes_lists_methods_paths_names_and_places(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    (folder / "app.py").write_text(APP)

    lines = [line.split() for line in call(*arguments).output.splitlines()]

    assert lines == [
        ["METHODS", "PATH", "NAME", "WRITTEN", "IN"],
        ["GET", "/", "home", "app.py:9"],
        ["GET,POST", "/todos/{id:int}", "todo", "app.py:13"],
    ]


MAP = """
from kingpost import App, Blueprint, Response, Route
from kingpost.routing import Traverse

app = App(routes=[Route("/table", lambda: "", name="table"), Route("/ping", Response("pong"), name="ping")])
shop, inner = Blueprint("shop", prefix="/shop", hosts=["{tenant}.example.org"]), App()
site = Traverse("/site", {})

@app.resource("/things")
class Things:
    def get(self): ...
    def post(self): ...

@shop.get("/{item:int}")
def buy(item: int, tenant: str): ...

@site.view(dict)
def show(context: dict): ...

@inner.get("/")
def home(): ...

app.include(shop)
app.include(site)
app.mount("/inner", inner)
"""


def test_routes_shows_the_whole_map_each_with_its_line(folder: Path) -> None:
    (folder / "map.py").write_text(MAP)
    lines = call("routes", "map.py").output.splitlines()

    assert lines[0].split() == ["METHODS", "PATH", "NAME", "WRITTEN", "IN", "WHEN"]
    assert [tuple(line.split()[:4]) for line in lines[1:]] == [
        ("GET", "/table", "table", "map.py:5"),
        ("GET", "/ping", "ping", "map.py:5"),
        ("GET", "/things", "Things", "map.py:11"),
        ("POST", "/things", "Things", "map.py:12"),
        ("GET", "/shop/{item:int}", "shop.buy", "map.py:14"),
        ("GET", "/site", "site.show", "map.py:17"),
        ("GET", "/site/{traversed:path}", "site.show", "map.py:17"),
        ("GET", "/inner/", "inner.home", "map.py:20"),
    ]


def test_an_app_without_routes_is_told_so(folder: Path) -> None:
    (folder / "app.py").write_text("from kingpost import App\napp = App()\n")

    assert call("routes").output == "This app has no routes yet.\n"


def test_routes_explain_says_what_happens_on_a_path(folder: Path) -> None:
    (folder / "app.py").write_text(APP)

    assert "todo" in call("routes", "explain", "/todos/7").output
    assert "404" in call("routes", "explain", "/nowhere").output
    assert "405" in call("routes", "explain", "/", "--method", "post").output


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("routes", "explain", "/", "app.py"), "kingpost routes explain / --app app.py"),
        (
            ("settings", "explain", "greeting", "app"),
            "kingpost settings explain greeting --app app",
        ),
        (("request", "-i", "GET", "/", "app.py"), "kingpost request -i GET / --app app.py"),
        (("shell", "app:app"), "kingpost shell --app app:app"),
        (("commands", "app.py"), "kingpost commands --app app.py"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_an_app_among_other_arguments_is_told_where_it_goes(
    folder: Path, arguments: tuple[str, ...], remedy: str
) -> None:
    (folder / "app.py").write_text(APP)

    result = call(*arguments)

    assert result.exit_code == 2
    assert "unexpected extra argument" in result.output
    assert f"The app is named with --app: {remedy}" in " ".join(result.output.split())
    if arguments[0] == "routes":
        assert "home" in call(*remedy.split()[1:]).output


def test_other_mistakes_of_arguments_say_nothing_of_apps(folder: Path) -> None:
    for arguments in (("routes", "explain"), ("dev", "app.py", "more"), ("request", "--no", "GET")):
        result = call(*arguments)
        assert result.exit_code == 2
        assert "--app:" not in result.output


def test_settings_explain_says_where_a_value_comes_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "app.py").write_text(APP)
    monkeypatch.setenv("GREETING", "welcome")

    output = call("settings", "explain", "greeting").output

    assert "greeting = 'welcome'" in output
    assert "environment" in output


def test_explain_shows_the_wrong_program_and_the_right_one() -> None:
    output = call("explain", "routing.conflict").output

    assert "routing.conflict" in output
    assert output.count("from kingpost import") >= 2


def test_explain_alone_lists_every_code() -> None:
    lines = call("explain").output.splitlines()

    assert any(line.startswith("target.no-app ") for line in lines)


def test_a_code_that_does_not_exist_is_answered_with_near_ones() -> None:
    result = call("explain", "routing.conflit")

    assert result.exit_code == 1
    assert "Did you mean routing.conflict" in result.output


@pytest.mark.parametrize("command", ["run", "dev", "routes"])
def test_a_missing_file_is_refused_without_a_traceback(folder: Path, command: str) -> None:
    (folder / "hello.py").touch()

    result = call(command, "helo.py")

    assert result.exit_code == 1
    assert "error: there is no file helo.py" in result.output
    assert "did you mean hello.py?" in result.output
    assert "Traceback" not in result.output


def test_an_error_in_the_users_code_is_shown_without_ours(folder: Path) -> None:
    (folder / "faulty.py").write_text("def f():\n    return 1 / 0\n\nf()\n")

    result = call("run", "faulty.py")

    assert result.exit_code == 1
    assert "ZeroDivisionError in faulty.py, line 2: division by zero" in result.output
    assert "return 1 / 0" in result.output
    assert "importlib" not in result.output
    assert "target.py" not in result.output


def test_a_syntax_error_is_shown_as_python_shows_it(folder: Path) -> None:
    (folder / "typo.py").write_text("def f(:\n")

    result = call("run", "typo.py")

    assert "SyntaxError in typo.py, line 1" in result.output
    assert "    def f(:\n" in result.output
    assert "Traceback" not in result.output


def test_a_mistake_found_at_start_up_is_a_sentence_with_a_code(folder: Path) -> None:
    (folder / "conflict.py").write_text(
        APP + '\n@app.get("/")\ndef again() -> str:\n    return ""\n'
    )

    result = call("run", "conflict.py", "--port", "0")

    assert result.exit_code == 1
    assert "kingpost explain routing.conflict" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--port", "70000"), "70000"),
        (("run", "app.py", "--uds", "x", "--host", "y"), "exclude each other"),
        (("run", "app.py", "--uds", "x", "--uds-mode", "99"), "is not a file mode"),
        (("run", "app.py", "--host", "no such host"), "cannot be found"),
        (("run", "app.py", "--fd", "999"), "is not an open socket"),
        (("run", "app.py", "--loop", "fast"), "fast"),
        (("run", "app.py", "--limit", "heads=1"), "'heads' is no limit; there are request_line"),
        (("dev", "app.py", "--limit", "head=0"), "head is a whole number of 1 to"),
        (("run", "app.py", "--grace", "-1"), "'-1' is not a number of seconds from 0"),
        (("run", "app.py", "--grace", "nan"), "'nan' is not a number of seconds from 0"),
        (("run", "app.py", "--max-age", "0.001"), "0.001 is less than 1: workers would be"),
        (("run", "app.py", "--worker-timeout", "0.1"), "0.1 is less than 2: a worker shows once"),
        (("run", "app.py", "--port", "80", "--uds", "a.sock"), "and so does --uds: choose one"),
        (("run", "app.py", "--port", "80", "--fd", "3"), "and so does --fd: choose one"),
        (("reload",), "Say --control PATH here and at `kingpost run --workers N --control"),
        (("reload",), "kill -HUP"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    (folder / "app.py").write_text(APP)

    result = call(*arguments)

    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output


def test_an_unknown_mode_in_the_environment_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "app.py").write_text(APP)
    monkeypatch.setenv("KINGPOST_ENV", "staging")

    result = call("run", "app.py", "--port", "0")

    assert result.exit_code == 1
    assert "KINGPOST_ENV='staging'" in result.output


@pytest.mark.parametrize(
    ("options", "silence"),
    [([], None), (["--worker-timeout", "0"], None), (["--worker-timeout", "7"], 7.0)],
)
def test_a_time_for_blocked_loops_asks_for_a_worker_that_can_be_replaced(
    folder: Path, options: list[str], silence: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "app.py").write_text(APP)
    seen: list[Processes | None] = []
    monkeypatch.setattr(run, "run_app", lambda *arguments: seen.append(arguments[-1]))

    assert call("run", "app.py", *options).exit_code == 0

    assert [one and (one.workers, one.silence) for one in seen] == [silence and (1, silence)]


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ([], None),
        (["--start-timeout", "0"], None),
        (["--start-timeout", "60"], 60.0),
        (["--workers", "1"], 60.0),
        (["--workers", "1", "--start-timeout", "7"], 7.0),
    ],
)
def test_a_time_for_the_start_asks_for_a_worker_that_can_be_ended(
    folder: Path, options: list[str], limit: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "app.py").write_text(APP)
    seen: list[Processes | None] = []
    monkeypatch.setattr(run, "run_app", lambda *arguments: seen.append(arguments[-1]))

    assert call("run", "app.py", *options).exit_code == 0

    assert [one and (one.workers, one.start_timeout) for one in seen] == [limit and (1, limit)]


def test_a_number_of_workers_that_is_none_is_blamed_on_where_it_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "0")

    by_environment = call("run", "hello.py")
    by_option = call("run", "hello.py", "--workers", "many")

    assert by_environment.exit_code == by_option.exit_code == 2
    assert "environment variable WEB_CONCURRENCY: '0' is not 1 to 255" in by_environment.output
    assert "'--workers': 'many' is not 1 to 255" in by_option.output


def test_a_port_that_is_none_is_blamed_on_where_it_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "abc")

    by_environment = call("run", "hello.py")
    by_option = call("run", "hello.py", "--port", "abc")

    assert by_environment.exit_code == by_option.exit_code == 2
    assert "the environment variable PORT: 'abc' is not a valid port" in by_environment.output
    assert "'--port': 'abc' is not a valid port" in by_option.output
