"""What was promised, and whether this run shows it.

Goals are ratios against an anchor in the same run wherever one exists: absolute figures depend on
the machine, ratios hardly do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.result import FOREIGN_LOAD, Result

Kind = Literal["ratio", "absolute", "over"]
Results = Mapping[tuple[str, str], Result]  # by row and subject


@dataclass(frozen=True, slots=True)
class Goal:
    """`values[metric]` of a subject of a row, held against a bound.

    kind: "ratio" divides by the anchor's value, "over" subtracts it, "absolute" takes it as it is.
    """

    text: str
    row: str
    subject: str
    bound: float
    anchor: str = ""
    kind: Kind = "ratio"
    metric: str = "cpu_us"
    at_least: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    goal: Goal
    value: float | None  # None: not measured in this run
    is_met: bool = False
    why: str = ""


def judge(goal: Goal, results: Results) -> Verdict:
    """Whether the results show the goal."""
    ours = results.get((goal.row, goal.subject))
    if ours is None:
        return Verdict(goal, None, why="not measured in this run")
    if goal.metric not in ours.values:
        return Verdict(goal, None, why=ours.missing or "no figure")
    value = ours.values[goal.metric]
    if goal.kind != "absolute":
        theirs = results.get((goal.row, goal.anchor))
        if theirs is None or goal.metric not in theirs.values:
            why = theirs.missing if theirs else ""
            return Verdict(goal, None, why=f"no figure of {goal.anchor} {why}".strip())
        anchor = theirs.values[goal.metric]
        value = value - anchor if goal.kind == "over" else value / anchor if anchor else 0.0
    # Compared as printed: a figure that reads like its bound has met it.
    shown = round(value, 2)
    is_met = shown >= goal.bound if goal.at_least else shown <= goal.bound
    foreign = ours.values.get("foreign", 0.0)
    noise = f"noisy: others used {foreign:.0%} of the core" if foreign >= FOREIGN_LOAD else ""
    return Verdict(goal, value, is_met, noise)


def goals(python: tuple[int, int]) -> tuple[Goal, ...]:
    """The goals for an interpreter: a Task is cheaper for uvicorn and dearer for us before 3.14."""
    suspension = 0.35 if python >= (3, 14) else 0.45
    return (
        Goal("24 deep, of Japronto", "plain-24", "kingpost", 0.75, "japronto"),
        Goal(
            "24 deep, requests/s of Japronto's",
            *("plain-24", "kingpost", 1.0, "japronto"),
            metric="rate",
            at_least=True,
        ),
        Goal("not pipelined, of Japronto", "plain", "kingpost", 1.03, "japronto"),
        Goal("not pipelined, of the Rust limit", "plain", "kingpost", 1.12, "rust"),
        Goal("16 deep, of FastPySGI", "plain-16", "kingpost", 0.20, "fastpysgi"),
        Goal("not pipelined, of Granian RSGI", "plain", "kingpost", 0.45, "granian-rsgi"),
        Goal("not pipelined, of bare uvicorn", "plain", "kingpost", 0.35, "uvicorn"),
        Goal("not pipelined, of FastAPI", "plain", "kingpost", 0.08, "fastapi"),
        Goal(
            "one real suspension, of uvicorn's",
            *("suspend", "kingpost/suspend", suspension, "uvicorn/suspend"),
        ),
        Goal(
            "threaded def",
            *("thread", "kingpost/thread", 8.0),
            kind="absolute",
            unit=" µs",
        ),
        Goal("threaded def, of FastAPI's", "thread", "kingpost/thread", 0.10, "fastapi/thread"),
        Goal(
            "threaded def over inline, 1 connection",
            *("thread-1", "kingpost/thread", 10.0, "kingpost/inline"),
            kind="over",
            unit=" µs",
        ),
        Goal("typed GET, of FastAPI", "typed", "kingpost", 0.07, "fastapi"),
        Goal("typed GET, of Falcon by hand", "typed", "kingpost", 0.30, "falcon"),
        Goal("validated POST, of FastAPI", "validated", "kingpost", 0.07, "fastapi"),
        Goal("validated POST, of Falcon by hand", "validated", "kingpost", 0.30, "falcon"),
        Goal("typed GET, of Litestar", "typed", "kingpost", 0.15, "litestar"),
        Goal("validated POST, of Litestar", "validated", "kingpost", 0.15, "litestar"),
        Goal("3 providers, 3 middlewares, of FastAPI", "around", "kingpost", 0.12, "fastapi"),
        Goal("a constant answer, of the Rust limit", "constant", "kingpost/constant", 1.1, "rust"),
        Goal(
            "one empty middleware",
            *("middleware", "kingpost/middleware-1", 0.2, "kingpost", "over"),
            unit=" µs",
        ),
        Goal(
            "ten empty middlewares more",
            *("middleware", "kingpost/middleware-11", 2.0, "kingpost/middleware-1", "over"),
            unit=" µs",
        ),
        Goal("an ASGI application, of Granian", "asgi", "kingpost-asgi", 0.70, "granian-asgi"),
        Goal("an ASGI application, of uvicorn", "asgi", "kingpost-asgi", 0.70, "uvicorn"),
        Goal("a WSGI application, of Granian", "wsgi", "kingpost-wsgi", 0.70, "granian-wsgi"),
        Goal("a WSGI application, of gunicorn gthread", "wsgi", "kingpost-wsgi", 0.15, "gunicorn"),
        Goal(
            "static 50 KB, requests/s of nginx's",
            *("static", "kingpost", 0.5, "nginx"),
            metric="rate",
            at_least=True,
        ),
        Goal("by TLS 1.3, of Granian RSGI", "https", "kingpost-tls", 0.75, "granian-tls"),
        Goal("by HTTP/2, of Granian RSGI", "http2", "kingpost", 0.75, "granian-http2"),
        Goal("WebSocket echo, of picows", "websocket-echo", "kingpost-websocket", 1.15, "picows"),
        Goal(
            "WebSocket echo, of uvicorn with websockets",
            *("websocket-echo", "kingpost-websocket", 0.25, "uvicorn-websocket"),
        ),
        Goal(
            "WebSocket broadcast, deliveries/s of Granian's",
            *("websocket-broadcast", "kingpost-websocket", 1.5, "granian-websocket"),
            metric="rate",
            at_least=True,
        ),
        Goal(
            "memory for one idle WebSocket",
            *("websocket-memory", "kingpost-websocket", 3072.0, "", "absolute", "bytes"),
            unit=" B",
        ),
        Goal("import, of FastAPI's", "import", "kingpost", 0.35, "fastapi", metric="import_ms"),
        Goal(
            "import over asyncio and msgspec",
            *("import", "kingpost", 20.0, "floor", "over"),
            metric="import_ms",
            unit=" ms",
        ),
        Goal(
            "start to first 200, of uvicorn + FastAPI",
            *("start", "kingpost", 0.5, "fastapi"),
            metric="start_ms",
        ),
        Goal(
            "memory for one idle connection",
            *("idle-memory", "kingpost", 1024.0, "", "absolute", "bytes"),
            unit=" B",
        ),
        Goal(
            "memory for one more worker",
            *("worker-memory", "kingpost-workers", 8.0, "", "absolute", "private_mb"),
            unit=" MB",
        ),
        Goal(
            "processor with 1,000 idle connections",
            *("idle-cpu", "kingpost", 0.1, "", "absolute", "percent"),
            unit=" %",
        ),
        Goal(
            "timer lag p99, async def",
            *("lag", "kingpost", 3.0, "", "absolute", "lag_ms"),
            unit=" ms",
        ),
        Goal(
            "timer lag p99, inline def",
            *("lag", "kingpost/inline", 3.0, "", "absolute", "lag_ms"),
            unit=" ms",
        ),
        Goal(
            "timer lag p99, async def, 24 deep",
            *("lag-24", "kingpost", 3.0, "", "absolute", "lag_ms"),
            unit=" ms",
        ),
        Goal(
            "timer lag p99, inline def, 24 deep",
            *("lag-24", "kingpost/inline", 3.0, "", "absolute", "lag_ms"),
            unit=" ms",
        ),
        Goal(
            # Switch intervals, of 5 ms: one for each of them, and one for the loop.
            "timer lag p99, 4 computing defs",
            *("lag-threads", "kingpost/compute", 25.0, "", "absolute", "lag_ms"),
            unit=" ms",
        ),
    )
