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


@pytest.fixture(scope="module")
def imported() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{PROGRAM}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", HEAVY)
def test_what_only_a_server_needs_is_not_imported(module: str, imported: set[str]) -> None:
    # What msgspec itself imports is imported in any case.
    bare = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path[:0] = {sys.path!r}\nimport msgspec\nprint(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert module not in imported or module in bare.stdout.split()


def test_few_of_our_own_modules_are_imported(imported: set[str]) -> None:
    ours = sorted(name for name in imported if name.startswith("kingpost"))
    assert len(ours) <= 25, ours
