"""What an operator sees of a process from outside: `python -m asyncio pstree PID`, new in Python 3.14."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .rig import Kind

ROOT = Path(__file__).parents[3]
NO_ACCESS = ("insufficient permissions", "Operation not permitted", "Function not implemented")

PROGRAM = """
import asyncio, sys
from tests.conformance.tasks.loops import new_loop
from tests.conformance.tasks.rig import Rig

async def never() -> None:
    await asyncio.Event().wait()

async def alone() -> None:
    await never()

async def grouped() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(never(), name="child of a request")

async def telling() -> None:
    await asyncio.sleep(0.01)
    print("suspended", flush=True)

async def main() -> None:
    await Rig(sys.argv[2]).submit([alone, grouped, telling], wait=60)

with asyncio.Runner(loop_factory=lambda: new_loop(sys.argv[1])) as runner:
    runner.run(main())
"""


@contextmanager
def suspended(loop: str, kind: Kind) -> Generator[int]:
    """The id of a process that has two requests which wait, one of them for a task of its own."""
    command = [sys.executable, "-c", PROGRAM, loop, kind]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own interpreter
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "suspended\n"
            yield process.pid
        finally:
            process.kill()


def seen_from_outside(command: str, process: int) -> str:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "asyncio", command, str(process)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    if any(reason in said for reason in NO_ACCESS):
        pytest.skip(
            "this system lets no process read another: it refuses ptrace; root may, where it has CAP_SYS_PTRACE"
        )
    assert done.returncode == 0, said
    return said


@pytest.mark.skipif(sys.version_info < (3, 14), reason="asyncio ps is new in Python 3.14")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("kind", ["carrier", "plain"])
def test_requests_that_wait_are_shown_with_what_they_wait_for(loop: str, kind: Kind) -> None:
    with suspended(loop, kind) as process:
        table = seen_from_outside("ps", process)
        tree = seen_from_outside("pstree", process).splitlines()

    assert "child of a request" in table
    # The task around the program itself, and one for each request that waits.
    assert sum(line.startswith("└── (T) Task-") for line in tree) == 3
    child = next(line for line in tree if "child of a request" in line)
    assert child.index("(T)") > tree[0].index("(T)")
    if kind == "carrier":
        assert sum("RequestTask.carry " in line for line in tree) == 2
