"""A constant answer is sent without any Python: with what Python there is poisoned, and with every call of a function written down."""

from __future__ import annotations

from pathlib import Path

from tests.faults.program import running

APP = """
import sys
from kingpost import App, Response
from kingpost.app.dispatch import AppDispatch
from kingpost.routing.route import Constant

app = App()
app.add_route("/ping", Response("pong", headers={"x-one": "1"}))
calls = []

def poisoned(*args, **named):
    raise AssertionError("Python was asked")

def write_down(frame, event, argument):
    if event == "call":
        calls.append(frame.f_code.co_qualname if hasattr(frame.f_code, "co_qualname") else frame.f_code.co_name)

@app.get("/poison", inline=True)
def poison() -> str:
    for name in ("answer", "respond", "fail", "miss", "guard"):
        setattr(AppDispatch, name, poisoned)
    Constant.__call__ = poisoned
    sys.setprofile(write_down)
    return "poisoned"

@app.get("/calls", inline=True)
def show() -> list[str]:
    sys.setprofile(None)
    return calls
"""


def test_no_python_runs_for_a_constant_answer(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    with running(tmp_path, "run", "--port", "0") as program:
        assert program.body("/poison") == "poisoned"
        answers = [program.get("/ping") for _ in range(3)]
        calls = program.body("/calls")

    assert {answer.partition("\r\n")[0] for answer in answers} == {"HTTP/1.1 200 OK"}
    assert all("x-one: 1" in answer and answer.endswith("pong") for answer in answers)
    # The handler that gives the list is the first function of Python behind the one that began it.
    assert calls == '["show"]'
