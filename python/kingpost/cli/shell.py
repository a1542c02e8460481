"""`kingpost shell`: a prompt with the app and what its handlers are given."""

from __future__ import annotations

import ast
import code
import contextlib
import contextvars
import importlib
import importlib.util
import inspect
import sys
import types
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from kingpost.cli.run import import_app

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.outside import Outside

Run = Callable[[Awaitable[Any]], Any]
FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
WAIT = "__kingpost_wait__"

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

    def session() -> BaseException | None:
        app.__enter_context__()
        if program is not None:
            return run_program(program, "<command>", names, outside.run)
        if not sys.stdin.isatty():
            return run_program(sys.stdin.read(), "<stdin>", names, outside.run)
        if not plain and importlib.util.find_spec("IPython") is not None:
            with_ipython(app, names, outside)
        else:
            Console(names, outside.run).interact(banner(app), "")
        return None

    failed: BaseException | None = None
    with contextlib.closing(client):
        try:
            # In a context of its own: whoever called us has another App, or none.
            failed = contextvars.copy_context().run(session)
        finally:
            outside.close(failed)
    return 0 if failed is None else exit_status(failed)


def banner(app: App) -> str:
    return HELP.format(app=repr(app))


def run_program(text: str, file: str, names: dict[str, Any], run: Run) -> BaseException | None:
    """Runs statements, `await` among them; the exception that ended them, which was shown already."""
    console = Console(names, run, file)
    try:
        compiled = compiled_here(text, file, "exec")
    except (SyntaxError, ValueError, OverflowError) as error:
        console.showsyntaxerror(file)
        return error
    return console.call(compiled)


def compiled_here(text: str, file: str, symbol: str) -> types.CodeType:
    """Code whose statements run where they are, and whose `await` waits for the loop.

    Were the whole of it a coroutine on the loop, as `python -m asyncio` has it, whatever blocks could not be called from it: `get` and `client`.
    """
    tree: ast.AST = compile(text, file, symbol, FLAGS | ast.PyCF_ONLY_AST)
    waiting: ast.Module = ast.fix_missing_locations(Waiting().visit(tree))
    made: types.CodeType = compile(waiting, file, symbol, FLAGS)
    if made.co_flags & inspect.CO_COROUTINE:
        # For an `async for` or `async with` it is one all the same: what waits for the loop would wait for itself there.
        made = compile(text, file, symbol, FLAGS)
    return made


class Waiting(ast.NodeTransformer):
    """Makes a call of every `await` that stands in no function."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        return ast.copy_location(ast.Call(ast.Name(WAIT, ast.Load()), [node.value], []), node)

    def leave(self, node: ast.AST) -> ast.AST:
        """A function or a generator, whose `await` is its own."""
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = leave  # noqa: N815 - as above
    visit_Lambda = visit_GeneratorExp = leave  # noqa: N815 - as above


def exit_status(error: BaseException) -> int:
    """What the process ends with: of `sys.exit(3)` 3."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    return 1


class Console(code.InteractiveConsole):
    """Python's own prompt, with `await`."""

    def __init__(self, names: dict[str, Any], run: Run, file: str = "<console>") -> None:
        super().__init__(names, file)
        self.compile.compiler.flags |= FLAGS
        self._names = names
        self._run = run
        names[WAIT] = run

    def interact(self, banner: str | None = None, exitmsg: str | None = None) -> None:
        """As ever, with history and completion where the system has them."""
        with contextlib.suppress(ImportError):
            import readline
            import rlcompleter

            readline.set_completer(rlcompleter.Completer(self._names).complete)
            readline.parse_and_bind("tab: complete")
        super().interact(banner, exitmsg)

    def runsource(self, source: str, filename: str = "<input>", symbol: str = "single") -> bool:
        """Runs a statement; True where it is not complete yet."""
        try:
            if self.compile(source, filename, symbol) is None:
                return True
            compiled = compiled_here(source, filename, symbol)
        except (SyntaxError, ValueError, OverflowError):
            self.showsyntaxerror(filename)
        else:
            self.runcode(compiled)
        return False

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

    def run(awaitable: Awaitable[Any]) -> Any:
        # A function: what is configured is copied, and a bound method with all that it is bound to.
        return outside.run(awaitable)

    config.InteractiveShell.loop_runner = run
    importlib.import_module("IPython").start_ipython(argv=[], user_ns=names, config=config)
