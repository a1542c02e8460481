"""coverage.py sees every line and branch of handlers, wherever they run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.program import running

APP = """
import asyncio

from kingpost import App

app = App()


@app.get("/thread/{number:int}")
def on_a_thread(number: int) -> str:
    if number > 1:
        answer = "more"
    else:
        answer = "one"
    return answer


@app.get("/inline/{number:int}", inline=True)
def inline(number: int) -> str:
    if number > 1:
        return "more"
    return "one"


@app.get("/in-place/{number:int}")
async def in_place(number: int) -> str:
    if number > 1:
        return "more"
    return "one"


@app.get("/waits/{number:int}")
async def waits(number: int) -> str:
    await asyncio.sleep(0)
    if number > 1:
        await asyncio.sleep(0.01)
        return "more"
    return "one"
"""
HANDLERS = {"on_a_thread", "inline", "in_place", "waits"}


@pytest.mark.parametrize("driver", ["native", "asyncio"])
def test_all_of_every_kind_of_handler_is_covered(tmp_path: Path, driver: str) -> None:
    (tmp_path / "app.py").write_text(APP)
    tool = ("-m", "coverage", "run", "--concurrency=thread", "--branch", "--include=*/app.py")
    # Neither the configuration nor the data of whoever measures these tests.
    environment = {
        "COVERAGE_FILE": str(tmp_path / "data"),
        "COVERAGE_RCFILE": "",
        "KINGPOST_DRIVER": driver,
    }
    with running(
        tmp_path, "run", "app.py", "--port", "0", environment=environment, under=tool
    ) as program:
        for path in ("thread", "inline", "in-place", "waits"):
            assert [program.body(f"/{path}/{number}") for number in (1, 2)] == ["one", "more"]
        program.signal(signal.SIGTERM)
        assert program.end() == 0, program.said

    report = subprocess.run(
        [sys.executable, "-m", "coverage", "json", "--data-file=data", "--quiet", "-o", "-"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    files = json.loads(report)["files"]
    functions = files["app.py"]["functions"]
    assert functions.keys() >= HANDLERS
    assert {
        name: (function["missing_lines"], function["missing_branches"])
        for name, function in functions.items()
        if function["summary"]["percent_covered"] != 100
    } == {}
