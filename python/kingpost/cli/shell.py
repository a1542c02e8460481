"""`kingpost shell`: a prompt with the app and what its handlers are given."""

from __future__ import annotations

import ast
import code
import contextlib
import importlib
import importlib.util
import inspect
import sys
import types
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from kingpost.cli.run import import_app

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.outside import Outside

Run = Callable[[Coroutine[Any, Any, Any]], Any]

HELP = """\
  app           the app, {app}
  settings      its settings
  get(T)        what a handler is given that names T; finished when you leave
  client        a TestClient: client.get("/")
  url_for(name) the path of a route
  await …       works here"""


def open_shell(text: str | None, program: str | None, *, plain: bool) -> int:
    """Runs a program, or what is piped in, or a prompt; 1 where a program has failed."""
    from kingpost.testing import TestClient

    app = import_app(text)
    outside = app.__outside__()
    client = TestClient(app)
    names: dict[str, Any] = {
        "__name__": "__console__",
        "__doc__": None,
        "app": app,
        "client": client,
        "get": outside.get,
        "settings": app.settings,
        "url_for": app.url_for,
    }
    failed: BaseException | None = None
    with contextlib.closing(client), contextlib.ExitStack() as stack:
        stack.callback(lambda: outside.close(failed))
        app.__enter_context__()
        if program is not None:
            failed = run_program(program, "<command>", names, outside.run)
        elif not sys.stdin.isatty():
            failed = run_program(sys.stdin.read(), "<stdin>", names, outside.run)
        elif not plain and importlib.util.find_spec("IPython") is not None:
            with_ipython(app, names, outside)
        else:
            Console(names, outside.run).interact(banner(app), "")
    return 0 if failed is None else exit_status(failed)


def banner(app: App) -> str:
    return HELP.format(app=repr(app))


def run_program(text: str, file: str, names: dict[str, Any], run: Run) -> BaseException | None:
    """Runs statements, `await` among them; the exception that ended them, which was shown already."""
    console = Console(names, run, file)
    try:
        compiled = compile(text, file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, OverflowError) as error:
        console.showsyntaxerror(file)
        return error
    return console.call(compiled)


def exit_status(error: BaseException) -> int:
    """What the process ends with: of `sys.exit(3)` 3."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 1


class Console(code.InteractiveConsole):
    """Python's own prompt, with `await`."""

    def __init__(self, names: dict[str, Any], run: Run, file: str = "<console>") -> None:
        super().__init__(names, file)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._names = names
        self._run = run

    def interact(self, banner: str | None = None, exitmsg: str | None = None) -> None:
        """As ever, with history and completion where the system has them."""
        with contextlib.suppress(ImportError):
            import readline
            import rlcompleter

            readline.set_completer(rlcompleter.Completer(self._names).complete)
            readline.parse_and_bind("tab: complete")
        super().interact(banner, exitmsg)

    def runcode(self, code: types.CodeType) -> None:
        """Runs what was typed."""
        error = self.call(code)
        if isinstance(error, SystemExit):
            raise error

    def call(self, compiled: types.CodeType) -> BaseException | None:
        """Runs code; the exception that it raised, after showing it."""
        try:
            value = types.FunctionType(compiled, self._names)()
            if inspect.iscoroutine(value):
                self._run(value)
        except SystemExit as error:
            return error
        except BaseException as error:  # noqa: BLE001 - the user's code may raise anything
            self.showtraceback()
            return error
        return None


def with_ipython(app: App, names: dict[str, Any], outside: Outside) -> None:
    """IPython's prompt, whose `await` uses the loop on which everything else was made."""
    config: Any = importlib.import_module("traitlets.config").Config()
    config.TerminalInteractiveShell.banner2 = f"{banner(app)}\n"
    config.InteractiveShell.loop_runner = outside.run
    importlib.import_module("IPython").start_ipython(argv=[], user_ns=names, config=config)
