"""`./dev check`: everything that is judged without running the product."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.console import Failure, ask, attempt, say


class LeftOut(Exception):
    """A check cannot be done here; the message says why."""


@dataclass(frozen=True)
class Step:
    """One check: a program that ends with 0 if all is well."""

    name: str
    command: tuple[str | Path, ...]
    # Raises LeftOut where the check cannot be done.
    possible: Callable[[], None] = lambda: None
    environment: Mapping[str, str] | None = None


# Where nobody runs our tests, the code must at least compile.
ELSEWHERE = {"macOS": "aarch64-apple-darwin", "Windows": "x86_64-pc-windows-msvc"}


def run_all(python: Path, names: Sequence[str]) -> None:
    """Run every check, even after one has failed.

    Args:
        python: the environment's interpreter.
        names: only the checks in whose name one of these words stands; none: all.

    Raises:
        Failure: some failed; the message names them.
    """
    failed: list[str] = []
    steps = [it for it in _steps(python) if not names or any(word in it.name for word in names)]
    if not steps:
        raise Failure(f"no check has {' or '.join(names)} in its name")
    for step in steps:
        start = time.monotonic()
        try:
            step.possible()
        except LeftOut as reason:
            say(f"{step.name}: left out, {reason}")
            continue
        status = attempt(*step.command, env=step.environment, quiet=True)
        say(
            f"{step.name}: {'good' if status == 0 else 'FAILED'} ({time.monotonic() - start:.1f} s)"
        )
        if status != 0:
            failed.append(step.name)
    if failed:
        raise Failure(f"failed: {', '.join(failed)}")
    say("every check passed" if not names else "passed")


def _steps(python: Path) -> Iterator[Step]:
    yield Step("ruff lint", ("ruff", "check", "."))
    yield Step("ruff format", ("ruff", "format", "--check", "."))
    yield Step("mypy", ("mypy",))
    yield Step("pyright", ("pyright", "--pythonpath", python))
    stubtest = (python, "-m", "mypy.stubtest", "--ignore-disjoint-bases", "kingpost._native")
    yield Step("stub of the native module", stubtest)
    yield Step("import ladder", ("lint-imports", "--no-cache"))
    yield Step("version and changelog", (python, "-m", "tools.release"))
    yield Step("cargo fmt", ("cargo", "fmt", "--all", "--check"))
    clippy = ("cargo", "clippy", "--workspace", "--quiet")
    strict = ("--", "-D", "warnings")
    yield Step("clippy", (*clippy, "--all-targets", *strict))
    for system, target in ELSEWHERE.items():
        yield Step(
            f"clippy for {system}",
            # Without the cryptography of TLS, whose C needs a compiler for that system.
            (*clippy, "--no-default-features", "--target", target, *strict),
            functools.partial(_has_target, target),
            {"PYO3_NO_PYTHON": "1", "PYO3_CROSS_PYTHON_VERSION": "3.11"},
        )
    deny = ("cargo", "deny", "--log-level", "error", "check")
    licences = (*deny, "bans", "licenses", "sources")
    yield Step("cargo deny: bans, licences, sources", licences, _has_cargo_deny)
    yield Step("cargo deny: advisories", (*deny, "advisories"), _has_rust_advisories)
    audit = ("pip-audit", "--skip-editable", "--progress-spinner", "off")
    yield Step("pip-audit", audit, lambda: _has_python_advisories(audit))


def _has_target(target: str) -> None:
    library = Path(ask("rustc", "--print", "sysroot") or "") / "lib" / "rustlib" / target
    if not library.is_dir():
        raise LeftOut(f"no Rust library for it here (rustup target add {target})")


def _has_cargo_deny() -> None:
    if ask("cargo", "deny", "--version") is None:
        raise LeftOut("no cargo-deny here (cargo install cargo-deny)")


def _has_rust_advisories() -> None:
    _has_cargo_deny()
    if ask("cargo", "deny", "fetch", "db") is None:
        raise LeftOut("the advisory database does not answer")


def _has_python_advisories(audit: tuple[str, ...]) -> None:
    """An index without advisories answers for no package at all, and pip-audit calls that good."""
    printed = ask(*audit, "--format", "json", "--timeout", "15", good=(0, 1))
    try:
        answer: dict[str, list[dict[str, Any]]] = json.loads(printed or "")
    except json.JSONDecodeError:
        raise LeftOut("the package index does not answer with advisories") from None
    if all("skip_reason" in package for package in answer["dependencies"]):
        raise LeftOut("the package index does not answer with advisories")
