"""What several processes of a host have together: an App that counts, tells and measures, and what comes of it."""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import re
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Literal, NamedTuple

from kingpost import App
from kingpost.checks import Metrics
from kingpost.feeds import Feed, Polled
from kingpost.middleware import RateLimit
from tests.conformance.hosts.servers import Command, running
from tests.waiting import PATIENCE, until

PROCESSES = 2

news = Feed("news", int)
app = App(plugins=[news, Metrics()])
application = app.wsgi


@app.get("/process")
async def process() -> str:
    return str(os.getpid())


@app.get("/limited", middleware=[RateLimit("3/hour")])
async def limited() -> str:
    return "here"


@app.post("/add")
async def add() -> str:
    return news.add(1)


@app.get("/poll")
async def poll(after: str) -> Polled[int]:
    return await news.poll(after, timeout=0.001)


HERE = "tests.conformance.hosts.together"
COMMANDS: dict[str, Command] = {
    "native": (
        "kingpost.cli",
        "run",
        f"{HERE}:app",
        "--port={port}",
        f"--workers={PROCESSES}",
        "--limit=idle_timeout=600",
    ),
    "asgi": (
        "uvicorn",
        f"{HERE}:app",
        "--port={port}",
        f"--workers={PROCESSES}",
        "--timeout-keep-alive=600",
        "--log-level=warning",
    ),
    "wsgi": (
        "gunicorn",
        f"{HERE}:application",
        "--worker-class=gthread",
        "--threads=8",
        "--keep-alive=600",
        "--graceful-timeout=1",
        "--no-control-socket",
        "--bind=127.0.0.1:{port}",
        f"--workers={PROCESSES}",
    ),
}


class Together(NamedTuple):
    """What was seen.

    Attributes:
        allowed: of ten requests that one client sends, three in an hour being allowed.
        followed: whether what one process has added is known to the other.
        measured: of how many processes the metrics tell.
        log: what the host wrote.
    """

    allowed: int
    followed: bool
    measured: int
    log: str


@functools.cache
def together(host: Literal["native", "asgi", "wsgi"]) -> Together:
    """Ten requests to each of two processes, by turns; once in a run of the tests."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(host, COMMANDS[host], Path(folder)) as server,
        _connections(server.port) as connections,
    ):
        one, other = connections
        allowed = sum(_ask((one, other)[number % 2], "/limited")[0] == 200 for number in range(10))
        last = _ask(one, "/add", "POST")[1]
        followed = '"lost":false' in _ask(other, f"/poll?after={last}")[1]
        found = re.search(r"^kingpost_workers (\d+)", _ask(other, "/metrics")[1], re.MULTILINE)
        assert found is not None
        log = (Path(folder) / f"{host}.log").read_text("utf-8")
        return Together(allowed, followed, int(found[1]), log)


@contextlib.contextmanager
def _connections(port: int) -> Generator[list[http.client.HTTPConnection]]:
    """One to each process."""
    found: dict[str, http.client.HTTPConnection] = {}
    with contextlib.ExitStack() as stack:

        def look() -> bool:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            stack.callback(connection.close)
            found.setdefault(_ask(connection, "/process")[1], connection)
            return len(found) == PROCESSES

        until(look)
        yield list(found.values())


def _ask(connection: http.client.HTTPConnection, path: str, method: str = "GET") -> tuple[int, str]:
    connection.request(method, path)
    response = connection.getresponse()
    return response.status, response.read().decode()
