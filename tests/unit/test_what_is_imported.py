"""A program that makes an App waits for nothing that only a server needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from kingpost import App

app = App()

@app.get("/")
def home() -> str:
    return "Hello, world!"

print(*sys.modules)
"""
HEAVY = (
    "asyncio",
    "logging",
    "inspect",
    "ssl",
    "socket",
    "email",
    "http.server",
    "tempfile",
    "sqlite3",
)


def modules_after(program: str) -> set[str]:
    path = f"import sys; sys.path[:0] = {sys.path!r}\n"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-S", "-c", f"{path}{program}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def imported() -> set[str]:
    # What msgspec itself imports is imported in any case.
    return modules_after(PROGRAM) - modules_after("import sys, msgspec; print(*sys.modules)")


@pytest.mark.parametrize("module", HEAVY)
def test_what_only_a_server_needs_is_not_imported(module: str, imported: set[str]) -> None:
    assert module not in imported


def test_few_of_our_own_modules_are_imported(imported: set[str]) -> None:
    ours = sorted(name for name in imported if name.startswith("kingpost"))
    assert 1 < len(ours) <= 25, ours
