"""A reader who does what a page says: writes its files, types its commands, looks at its addresses.

What the languages of blocks mean to it:

| block                    | what is done                                                                            |
|--------------------------|-----------------------------------------------------------------------------------------|
| python                   | executed; one that begins with an import begins a new program, others continue it       |
| python title="a.py"      | written to that file, and executed unless a server serves it already                    |
| python refused="code"    | executed and started: it must be refused with this code                                 |
| pycon                    | typed at Python's prompt, the answers compared                                          |
| console                  | lines after `$ ` are typed at the shell, what follows them is compared; see SETTING_UP   |
| browser                  | the first line is opened in a browser, the others are what must be seen                 |
| http                     | a request, and from `HTTP/1.1` on the answer; headers not shown may be there            |
| json, toml               | must be well-formed                                                                     |
| ini, nginx, html, text … | files and pictures: with a title they are written, else only looked at                  |

Port 8000 of a page is another one here.
"""

from __future__ import annotations

import contextlib
import doctest
import http.client
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
import tomllib
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from kingpost import App
from kingpost.testing import TestClient
from tests.docs.comparing import is_as_shown, is_same_json, seen
from tests.docs.curl import curl
from tests.docs.markdown import Block
from tests.ports import free_port
from tests.saving import save
from tests.waiting import PATIENCE

RELOADED = "reloaded in "
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SETTING_UP = (
    "pip install",
    "python3 -m venv",
    "python -m venv",
    "source ",
    "git clone",
    "sudo ",
    "./dev",
)
"""Commands of a console block that begin so are not typed: what they install or fetch is there already, and some would change the machine.
`tests/docs/test_first_page_alone.py` and `tests/docs/test_deploying.py` do with care what a few of them stand for."""

PLAIN = {"text", "html", "css", "ini", "nginx", "sql", "dotenv", "csv"}


class Reader:
    """Reads one page from its first block to its last, in an empty folder.

    Args:
        folder: where files go and commands run.
        names: what Python's prompt knows from the start.
        programs: where the shell finds `kingpost` and `python`; where those of the tests are, if not said.
    """

    def __init__(
        self, folder: Path, names: dict[str, Any] | None = None, *, programs: Path | None = None
    ) -> None:
        self.folder = folder
        self.names = names or {}
        self.programs = programs or Path(sys.executable).parent
        self.port = free_port()
        self.program: dict[str, Any] = {}
        self.source = ""
        self.app: App | None = None
        self.client: TestClient | None = None
        self.server: subprocess.Popen[str] | None = None
        self.log = folder.parent / f"{folder.name}.log"
        self.kinds: dict[str, Callable[[Block], None]] = {
            "python": self.python,
            "pycon": self.pycon,
            "console": self.console,
            "browser": self.browser,
            "http": self.http,
            "json": lambda block: json.loads(block.text),
            "toml": lambda block: tomllib.loads(block.text) and None,
        }

    def __enter__(self) -> Self:
        self.before = (Path.cwd(), list(sys.path), set(sys.modules))
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_client()
        self.stop_server()
        folder, path, modules = self.before
        os.chdir(folder)
        sys.path[:] = path
        sys.modules.pop("program", None)
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if file.startswith(str(self.folder)):
                del sys.modules[name]

    def read(self, block: Block) -> None:
        """Do what a block says.

        Raises:
            AssertionError: something else happens than the page shows.
        """
        if "title" in block.attributes:
            file = self.folder / block.attributes["title"]
            file.parent.mkdir(parents=True, exist_ok=True)
            self.write(file, block.text)
        if block.language in self.kinds:
            self.kinds[block.language](block)
        else:
            assert block.language in PLAIN, f"{block.place}: nothing is known of {block.language!r}"

    def write(self, file: Path, text: str) -> None:
        """Save a file; a server that watches it gets the time that a person would give it."""
        seen_before = self.logged().count(RELOADED) if self.server is not None else 0
        save(file, text)
        if self.server is not None and file.suffix == ".py":
            wait_until(lambda: self.logged().count(RELOADED) > seen_before)

    def finish(self) -> None:
        """After the last block: the last program must start."""
        self.start_client()

    # -- python ------------------------------------------------------------------------------------------------------

    def python(self, block: Block) -> None:
        title = block.attributes.get("title")
        if "refused" in block.attributes:
            self.refused(block, block.attributes["refused"])
        elif title is not None:
            if self.server is None and not Path(title).name.startswith(("test_", "conftest")):
                self.new_program(lambda: self.run_file(self.folder / title))
        elif is_new(block):
            self.source = block.text
            self.new_program(lambda: self.run_text(block, new_module()))
        else:
            self.stop_client()
            self.source += block.text
            self.run_text(block, self.program)

    def new_program(self, run: Callable[[], dict[str, Any]]) -> None:
        self.start_client()
        self.stop_client()
        self.app = None
        self.program = run()

    def run_file(self, file: Path) -> dict[str, Any]:
        for name in [n for n, m in sys.modules.items() if self.is_ours(m)]:
            del sys.modules[name]
        return self.found(runpy.run_path(str(file), run_name=file.stem))

    def is_ours(self, module: Any) -> bool:
        return (getattr(module, "__file__", None) or "").startswith(str(self.folder))

    def run_text(self, block: Block, names: dict[str, Any]) -> dict[str, Any]:
        # On disk, since messages and tracebacks quote the source.
        file = self.folder.parent / f"{self.folder.name}-{block.page.stem}-{block.line}.py"
        file.write_text("\n" * block.line + block.text, encoding="utf-8")
        exec(compile(file.read_text(encoding="utf-8"), file, "exec"), names)  # noqa: S102 - the documentation's own program
        return self.found(names)

    def found(self, names: dict[str, Any]) -> dict[str, Any]:
        apps = [value for value in names.values() if isinstance(value, App)]
        if apps:
            self.app = names["app"] if "app" in names else apps[-1]
        return names

    def refused(self, block: Block, code: str) -> None:
        self.stop_client()
        before = "" if is_new(block) else self.source
        try:
            self.run_text(replace(block, text=before + block.text), new_module())
            self.start_client()
        except Exception as error:  # noqa: BLE001 - whichever it is
            happened = str(getattr(error, "code", None) or repr(error))
        else:
            happened = "not refused"
        self.app = None
        assert happened == code, f"{block.place}: {happened}"

    def pycon(self, block: Block) -> None:
        self.names.setdefault("__name__", "prompt")
        test = doctest.DocTestParser().get_doctest(
            block.text, self.names, block.place, str(block.page), block.line
        )
        said: list[str] = []
        runner = doctest.DocTestRunner(
            optionflags=doctest.ELLIPSIS
            | doctest.IGNORE_EXCEPTION_DETAIL
            | doctest.NORMALIZE_WHITESPACE
        )
        runner.run(test, out=said.append, clear_globs=False)
        self.names = test.globs
        assert runner.summarize(verbose=False).failed == 0, f"{block.place}\n" + "".join(said)

    # -- the shell ---------------------------------------------------------------------------------------------------

    def console(self, block: Block) -> None:
        for command, shown in _commands(block):
            typed = self.with_port(command)
            if command.startswith(SETTING_UP):
                continue
            if command.startswith("cd "):
                os.chdir(command.removeprefix("cd "))
            elif re.match(r"(\w+=\S+ )*kingpost (dev|run)\b", command):
                self.serve(typed, shown, block)
            elif command.startswith("curl "):
                said = self.without_port(curl(typed))
                self.compare(shown, said, f"{block.place}: $ {command}")
            else:
                done = subprocess.run(  # noqa: S603 - what our own pages say
                    ["bash", "-c", typed],  # noqa: S607 - a reader's shell
                    env=self.environment(),
                    check=False,
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=120,
                )
                self.compare(shown, self.without_port(done.stdout), f"{block.place}: $ {command}")

    def environment(self) -> dict[str, str]:
        names = ("HOME", "LANG", "PYTHONPATH", "TMPDIR")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        return {
            **kept,
            "PATH": os.pathsep.join([str(self.programs), os.environ["PATH"]]),
            # A reader has not installed what our own tests compare with, and these plugins define `client`, too.
            "PYTEST_ADDOPTS": "-p no:flask -p no:django",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PORT": str(self.port),
            # What is made for this user goes with the page.
            "XDG_DATA_HOME": str(self.folder.parent / f"{self.folder.name}-data"),
        }

    def serve(self, command: str, shown: str, block: Block) -> None:
        self.stop_client()
        self.stop_server()
        # From now on the files of the page are the server's; the program as it was when it was executed is of no use.
        self.app = None
        with self.log.open("w", encoding="utf-8") as log:
            self.server = subprocess.Popen(  # noqa: S603 - what our own pages say
                ["bash", "-c", f"exec env {command}"],  # noqa: S607 - a reader's shell
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        wait_until(self.is_up)
        if shown.strip():
            wait_until(lambda: is_as_shown(shown.rstrip() + "\n…", self.logged()))
            self.compare(shown.rstrip() + "\n…", self.logged(), block.place)

    def is_up(self) -> bool:
        """Whether the server can be asked, or will never be."""
        if self.server is None or self.server.poll() is not None:
            return True
        with socket.socket() as probe:
            is_listening = probe.connect_ex(("127.0.0.1", self.port)) == 0
        return is_listening or " on unix:" in self.logged()

    def logged(self) -> str:
        return self.without_port(self.log.read_text(encoding="utf-8"))

    def with_port(self, text: str) -> str:
        return text.replace(":8000", f":{self.port}")

    def without_port(self, text: str) -> str:
        return text.replace(f":{self.port}", ":8000")

    def compare(self, shown: str, happened: str, place: str) -> None:
        same = is_as_shown(shown, happened) or is_same_json_or_not(shown, happened)
        assert same, f"{place}\n--- shown\n{shown}\n--- happened\n{happened}"

    def stop_server(self) -> None:
        server, self.server = self.server, None
        if server is not None:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    # -- requests ----------------------------------------------------------------------------------------------------

    def start_client(self) -> TestClient | None:
        if self.app is not None and self.client is None:
            self.client = TestClient(self.app, raise_errors=False)
            self.client.__enter__()
        return self.client

    def stop_client(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            client.close()

    def ask(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, str, list[tuple[str, str]], str]:
        """Status, reason, header fields and text of the answer: from the server, or from the last program."""
        if self.server is None:
            client = self.start_client()
            assert client is not None, "there is no app and no server to ask"
            reply = client.request(method, target, headers=headers, content=body)
            return reply.status, reply.reason, reply.headers.pairs(), reply.text
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        ) as to:
            to.request(method, quote(target, safe="/?&=%:,;+*"), body or None, headers)
            answer = to.getresponse()
            text = answer.read().decode()
            fields = [(name.lower(), value) for name, value in answer.getheaders()]
            return answer.status, answer.reason, fields, text

    def browser(self, block: Block) -> None:
        address, _, shown = block.text.partition("\n")
        target = re.sub(r"^https?://[^/]+", "", address.strip())
        happened = ""

        def is_there() -> bool:
            nonlocal happened
            with contextlib.suppress(OSError, http.client.HTTPException):
                fields, text = self.follow(target)
                happened = seen(text) if "html" in dict(fields).get("content-type", "") else text
            return is_as_shown(shown, happened) or is_same_json_or_not(shown, happened)

        wait_until(is_there, PATIENCE if self.server is not None else 0)
        assert is_there(), f"{block.place}\n--- shown\n{shown}\n--- happened\n{happened}"

    def follow(self, target: str) -> tuple[list[tuple[str, str]], str]:
        """Header fields and text of the answer that a browser ends up with."""
        for _ in range(5):
            _, _, fields, text = self.ask("GET", target, BROWSER, b"")
            target = dict(fields).get("location", "")
            if not target:
                break
        return fields, text

    def http(self, block: Block) -> None:
        question, separator, answer = block.text.partition("HTTP/1.1 ")
        assert separator, f"{block.place}: no answer is shown"
        head, _, body = question.partition("\n\n")
        first, *lines = head.strip().splitlines()
        method, target = first.split(" ", 1)
        headers = dict(line.split(": ", maxsplit=1) for line in lines)
        content = body.strip()
        if headers.get("content-type", "").startswith("multipart/"):
            # A page's lines end with LF, those of such a form with CR LF.
            content = content.replace("\n", "\r\n") + "\r\n"
        status, reason, fields, text = self.ask(method, target, headers, content.encode())
        shown_head, _, shown = answer.partition("\n\n")
        shown_status, *shown_fields = shown_head.strip().splitlines()
        got = f"{status} {reason}\n" + "\n".join(": ".join(pair) for pair in fields) + f"\n\n{text}"
        assert shown_status == f"{status} {reason}", f"{block.place}\n{got}"
        for line in shown_fields:
            assert any(is_as_shown(line, ": ".join(pair)) for pair in fields), (
                f"{block.place}: {line}\n{got}"
            )
        if shown.strip() or method == "HEAD":
            self.compare(shown, text, block.place)


def new_module() -> dict[str, Any]:
    """The names of a new module; it is registered, since dataclasses and annotations look there."""
    module = sys.modules["program"] = types.ModuleType("program")
    return vars(module)


def is_new(block: Block) -> bool:
    """Whether a block begins a program instead of going on with the one before."""
    return block.text.startswith(("from ", "import ", '"""'))


def is_same_json_or_not(shown: str, happened: str) -> bool:
    try:
        return is_same_json(shown, happened)
    except ValueError:
        return False


def wait_until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Look again and again; after so many seconds give up, the caller says what is missing."""
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.05)


def _commands(block: Block) -> Iterator[tuple[str, str]]:
    """Commands and the output that is shown after each; a backslash continues a command."""
    text = block.text.replace("\\\n", " ")
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command.strip(), shown
