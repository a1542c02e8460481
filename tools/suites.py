"""`./dev test`, `./dev docs`, `./dev bench` and `./dev demo`: everything that runs the product."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tools import fuzzing
from tools.console import ROOT, Failure, attempt, run, say


def test(python: Path, arguments: Sequence[str]) -> int:
    """Run the tests of the crates, then those of the package; `--long` adds the fuzz targets.

    Args:
        python: the environment's interpreter.
        arguments: `--long`, and what else pytest takes.

    With KINGPOST_SKIP_CRATES=1 the crates' own tests are left out: they do not depend on the interpreter.

    Returns:
        pytest's exit status: its summary is the last thing printed.

    Raises:
        Failure: a test of the crates failed, or a fuzz target found something.
    """
    is_long = "--long" in arguments
    arguments = [argument for argument in arguments if argument != "--long"]
    if not os.environ.get("KINGPOST_SKIP_CRATES"):
        _cargo_test()
    if is_long:
        # Tests that have a short and a long form ask for it.
        os.environ["KINGPOST_LONG"] = "1"
        fuzzing.run_all()
    return _pytest(python, *([] if is_long else ["-m", "not long"]), *arguments)


def _cargo_test() -> None:
    say("cargo test")
    # The extension module's own tests are Python's: a test program of it would need a libpython to
    # link with, which many systems do not have.
    run("cargo", "test", "--workspace", "--exclude", "kingpost-py", "--quiet")


def docs(python: Path, arguments: Sequence[str]) -> int:
    """Run every block of the documentation; returns pytest's exit status."""
    return _pytest(python, "tests/docs", *arguments)


def bench(python: Path, arguments: Sequence[str]) -> None:
    """Run the benchmarks: `./dev bench --help` says what they take."""
    run(python, "benchmarks/run.py", *arguments)


def demo(python: Path, arguments: Sequence[str]) -> None:
    """Serve the example application until Ctrl-C; it prints where. `$PORT` is honoured."""
    app = ROOT / "examples" / "atlas"
    if not app.is_dir():
        raise Failure(f"{app.relative_to(ROOT)} is not there")
    os.chdir(app)
    # The server takes this process's place, so that signals and the terminal are its own.
    kingpost = python.with_name("kingpost")
    os.execv(kingpost, [str(kingpost), "dev", *arguments])  # noqa: S606 - no shell is meant


def _pytest(python: Path, *arguments: str) -> int:
    say("pytest")
    return attempt(python, "-m", "pytest", *arguments)
