"""What `Metrics` shows of the server by itself, read as Prometheus reads it."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kingpost import App, Blueprint, Body, Request, Response
from kingpost.checks import Metrics
from kingpost.checks.exposition import labels, measured
from kingpost.http import FileResponse
from kingpost.server import shared
from kingpost.server.readings import DURATION_BOUNDS, Histogram, Read, Route
from kingpost.testing import LiveServer, TestClient
from tests.waiting import PATIENCE, until

DURATION = "http_server_request_duration_seconds"


def read(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The samples by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = tuple(sorted(sample.labels.items()))
            assert key not in found.setdefault(sample.name, {}), "a sample stands twice"
            found[sample.name][key] = sample.value
    return found


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests have counted in this process is not counted here."""
    monkeypatch.setattr(shared, "_here", list[shared.Shared]())


def shown(server: LiveServer) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=PATIENCE) as answer:  # noqa: S310 - our own server
        return read(answer.read().decode())


def counted(server: LiveServer) -> dict[tuple[str, str, str], float]:
    """Requests by method, status and route."""
    return {
        (
            dict(key)["http_request_method"],
            dict(key)["http_response_status_code"],
            dict(key).get("http_route", ""),
        ): value
        for key, value in shown(server).get(f"{DURATION}_count", {}).items()
    }


def ask(server: LiveServer, path: str, data: bytes | None = None, method: str = "GET") -> int:
    asked = urllib.request.Request(f"{server.url}{path}", data, method=method)  # noqa: S310 - our own server
    asked.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310 - as given
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def everything() -> App:
    app = App(plugins=[Metrics()])
    todos = Blueprint("todos", prefix="/todos")

    @todos.get("/{id:int}")
    async def show(id: int) -> int:
        return id

    @todos.delete("/{id:int}")
    def remove(id: int) -> None:
        return None

    @app.get("/streamed")
    async def streamed() -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0)
        yield "b"

    @app.get("/thread")
    def thread() -> Iterator[str]:
        yield "a"

    @app.get("/file")
    def file() -> FileResponse:
        return FileResponse(__file__)

    @app.get("/broken")
    async def broken() -> str:
        raise OSError("no")

    @app.post("/sum")
    async def add(numbers: Annotated[list[int], Body()]) -> int:
        return sum(numbers)

    @app.get("/inline", inline=True)
    def inline() -> str:
        return "here"

    @app.get("/versions", name="one", hosts=["one.example.org"])
    def one() -> str:
        return "1"

    @app.get("/versions", name="other")
    def other() -> str:
        return "2"

    app.include(todos)
    app.add_route("/constant", Response("always"))
    return app


def test_requests_are_counted_by_method_route_and_status() -> None:
    with LiveServer(everything()) as server:
        for path in (
            "/todos/1",
            "/todos/2",
            "/streamed",
            "/thread",
            "/file",
            "/broken",
            "/inline",
            "/constant",
            "/versions",
            "/nowhere",
        ):
            ask(server, path)
        ask(server, "/todos/1", method="DELETE")
        ask(server, "/sum", b"[1,2]", "POST")
        ask(server, "/sum", b'["x"]', "POST")
        ask(server, "/sum", method="BREW")
        told = counted(server)
        told = {key: value for key, value in told.items() if key[2] != "/metrics"}

    assert told == {
        ("GET", "200", "/todos/{id:int}"): 2,
        ("GET", "200", "/streamed"): 1,
        ("GET", "200", "/thread"): 1,
        ("GET", "200", "/file"): 1,
        ("GET", "500", "/broken"): 1,
        ("GET", "200", "/inline"): 1,
        ("GET", "200", "/constant"): 1,
        ("GET", "200", "/versions"): 1,
        ("GET", "404", ""): 1,
        ("DELETE", "204", "/todos/{id:int}"): 1,
        ("POST", "200", "/sum"): 1,
        ("POST", "422", "/sum"): 1,
        ("_OTHER", "405", ""): 1,
    }


def test_durations_are_told_in_buckets_that_grow() -> None:
    release = threading.Event()
    app = App(plugins=[Metrics()])

    @app.get("/slow")
    def slow() -> str:
        release.wait(PATIENCE)
        return "late"

    with LiveServer(app) as server:
        asking = threading.Thread(target=ask, args=(server, "/slow"))
        asking.start()
        until(lambda: shown(server)["http_server_active_requests"][()] >= 1)
        # It has taken this long at least.
        threading.Event().wait(0.03)
        release.set()
        asking.join(PATIENCE)
        samples = shown(server)

    key = (
        ("http_request_method", "GET"),
        ("http_response_status_code", "200"),
        ("http_route", "/slow"),
    )
    buckets = [
        samples[f"{DURATION}_bucket"][tuple(sorted((*key, ("le", repr(bound)))))]
        for bound in DURATION_BOUNDS
    ]
    assert samples[f"{DURATION}_sum"][key] >= 0.03
    assert buckets[:3] == [0, 0, 0]
    assert buckets == sorted(buckets)
    assert samples[f"{DURATION}_bucket"][tuple(sorted((*key, ("le", "+Inf"))))] == 1


def test_one_whose_client_left_is_told_of_as_such() -> None:
    begun = threading.Event()
    app = App(plugins=[Metrics()])

    @app.get("/waits")
    async def waits(request: Request) -> str:
        begun.set()
        await asyncio.sleep(3600)
        return "never"

    with LiveServer(app) as server:
        client = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        client.sendall(b"GET /waits HTTP/1.1\r\nhost: localhost\r\n\r\n")
        until(begun.is_set)
        client.close()
        until(lambda: counted(server).get(("GET", "499", "/waits")) == 1)


def test_what_the_server_refuses_is_counted_by_its_code() -> None:
    with LiveServer(App(plugins=[Metrics()])) as server:
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 400")
        samples = shown(server)

    assert samples["kingpost_refused_total"] == {(("code", "http.missing-host"),): 1}


def test_connections_bodies_threads_and_the_process_are_told_of() -> None:
    with LiveServer(everything()) as server:
        ask(server, "/sum", b"[1,2]", "POST")
        ask(server, "/todos/1", method="DELETE")
        until(lambda: shown(server)["kingpost_loop_lag_seconds_count"][()] >= 1)
        samples = {name: values.get(()) for name, values in shown(server).items()}

    assert samples["kingpost_body_received_bytes_total"] == 5
    assert (samples["kingpost_body_sent_bytes_total"] or 0) > 1
    assert (samples["kingpost_connections"] or 0) >= 1
    assert (samples["kingpost_connections_accepted_total"] or 0) >= 3
    assert (samples["kingpost_threads"] or 0) >= 1
    assert samples["kingpost_thread_queue_length"] == 0
    assert samples["kingpost_workers"] == 1
    assert (samples["process_resident_memory_bytes"] or 0) > 1_000_000
    assert (samples["process_cpu_seconds_total"] or 0) > 0
    assert "process_open_fds" in samples
    assert "kingpost_build_info" in samples


def test_without_the_plugin_nothing_is_measured() -> None:
    app = App()

    @app.get("/")
    def home(request: Request) -> str:
        return repr((request.dispatch.measures, request.dispatch.readings))

    with TestClient(app) as client:
        assert client.get("/").text == "(False, None)"


def test_numbers_of_all_workers_are_one() -> None:
    found = Read(
        {
            "measured|request|GET|200|0|/a|b": 2,
            "measured|request|GET|200|3|/a|b": 1,
            "measured|seconds|GET|200|/a|b": 1_500_000,
            "measured|request|GET|404|14|": 1,
            "bus.lost": 3,
        }
    )

    assert found.requests()[Route("GET", 200, "/a|b")] == Histogram([2, 2, 2] + [3] * 12, 1.5)
    assert found.requests()[Route("GET", 404, "")].counts == [0] * 14 + [1]
    assert "kingpost_bus_lost_total 3" in list(measured(found))


@pytest.mark.parametrize("path", ['/a"b', "/a\\b", "/ä/{x}"])
def test_a_route_of_any_name_can_be_read(path: str) -> None:
    text = "\n".join(measured(Read({f"measured|request|GET|200|0|{path}": 1})))
    key = (
        ("http_request_method", "GET"),
        ("http_response_status_code", "200"),
        ("http_route", path),
    )

    assert read(text + "\n")[f"{DURATION}_count"][key] == 1


def test_labels_are_escaped() -> None:
    assert labels({"a": 'x"\\\ny'}) == '{a="x\\"\\\\\\ny"}'
    assert labels({}) == ""
