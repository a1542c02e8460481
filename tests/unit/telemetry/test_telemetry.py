"""Spans and durations, as OpenTelemetry's own SDK gets them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from kingpost import App, NotFound, Request, WebSocket
from kingpost.logging.request import trace_of
from kingpost.telemetry import Telemetry
from kingpost.telemetry.plugin import host_and_port
from kingpost.testing import LiveServer, SocketRefused, TestClient
from tests.waiting import PATIENCE, until

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Told:
    """What was told."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])

    def plugin(self, **options: Any) -> Telemetry:
        return Telemetry(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    @property
    def durations(self) -> list[tuple[int, dict[str, Any]]]:
        data = self.reader.get_metrics_data()
        return [
            (point.count, dict(point.attributes))
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "http.server.request.duration"
            for point in metric.data.data_points
        ]


@pytest.fixture
def told() -> Told:
    return Told()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_request_is_a_span_by_the_conventions(told: Told) -> None:
    app = App(plugins=[told.plugin()])

    @app.get("/todos/{id:int}")
    async def show(id: int) -> int:
        return id

    with TestClient(app) as client:
        client.get("/todos/7?token=secret", headers={"user-agent": "tests", "host": "a.test:81"})
    (span,) = told.spans

    assert span.name == "GET /todos/{id}"
    assert span.kind is SpanKind.SERVER
    assert span.status.status_code is StatusCode.UNSET
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/todos/{id}",
        "url.path": "/todos/7",
        "url.scheme": "http",
        "server.address": "a.test",
        "server.port": 81,
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "user_agent.original": "tests",
    }
    assert told.durations == [
        (
            1,
            {
                "http.request.method": "GET",
                "http.response.status_code": 200,
                "http.route": "/todos/{id}",
                "url.scheme": "http",
                "network.protocol.version": "1.1",
            },
        )
    ]


@pytest.mark.parametrize(("said", "code"), [("", 1000), ("go", 4001), ("fail", 1011)])
def test_a_websocket_is_101_when_it_is_accepted_and_its_end_is_an_event(
    told: Told, said: str, code: int
) -> None:
    app = App(plugins=[told.plugin()])

    @app.websocket("/talk")
    async def talk(ws: WebSocket) -> None:
        await ws.accept()
        async for message in ws:
            if message == "fail":
                raise RuntimeError("no more")
            await ws.close(4001)

    with TestClient(app, raise_errors=False) as client:
        with client.websocket("/talk") as ws:
            ((_, measured),) = told.durations
            assert measured["http.response.status_code"] == 101
            if said:
                ws.send(said)
                assert list(ws) == []
    (span,) = told.spans

    assert span.name == "GET /talk"
    assert attributes(span)["http.response.status_code"] == 101
    ends = [each for each in span.events if each.name == "websocket.closed"]
    assert [
        dict(each.attributes or {})["websocket.close_code"] in (code, 1005) for each in ends
    ] == [True]
    assert len(told.durations) == 1
    assert ("error.type" in attributes(span)) == (said == "fail")
    assert (span.status.status_code is StatusCode.ERROR) == (said == "fail")


def test_a_refused_websocket_is_a_request_like_others(told: Told) -> None:
    app = App(plugins=[told.plugin()])

    @app.websocket("/talk")
    async def talk(ws: WebSocket) -> None:
        raise NotFound("nobody is there")

    with TestClient(app) as client, pytest.raises(SocketRefused), client.websocket("/talk"):
        pass
    (span,) = told.spans

    assert attributes(span)["http.response.status_code"] == 404
    assert span.events == ()


def test_it_goes_on_with_the_trace_of_the_client(told: Told) -> None:
    app = App(plugins=[told.plugin()])

    @app.get("/")
    def home() -> str:
        return ""

    with TestClient(app) as client:
        client.get("/", headers={"traceparent": PARENT})
        client.get("/", headers={"traceparent": "nonsense"})
    first, second = told.spans

    assert first.parent is not None
    assert f"{first.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{first.parent.span_id:016x}" == PARENT.split("-")[2]
    assert second.parent is None


@pytest.mark.parametrize("kind", ["async", "def", "inline", "stream", "stream def"])
def test_what_a_handler_does_belongs_to_the_span(kind: str, told: Told) -> None:
    app = App(plugins=[told.plugin()])
    tracer = told.tracers.get_tracer("shop")

    def work() -> str:
        with tracer.start_as_current_span("work"):
            return ""

    async def in_async() -> str:
        await asyncio.sleep(0)
        return work()

    async def streamed() -> AsyncIterator[str]:
        await asyncio.sleep(0)
        yield work()

    def streamed_def() -> Iterator[str]:
        yield work()

    handlers: dict[str, Any] = {
        "async": in_async,
        "def": work,
        "stream": streamed,
        "stream def": streamed_def,
    }
    if kind == "inline":
        app.add_route("/", work, inline=True)
    else:
        app.add_route("/", handlers[kind])
    with TestClient(app) as client:
        client.get("/")
        until(lambda: len(told.spans) == 2)
    inner, outer = sorted(told.spans, key=lambda span: span.name != "work")

    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id


def test_a_streamed_answer_ends_its_span_with_the_last_byte(told: Told) -> None:
    release = threading.Event()
    app = App(plugins=[told.plugin()])

    @app.get("/")
    async def show() -> AsyncIterator[str]:
        yield "first"
        await asyncio.to_thread(release.wait, PATIENCE)
        yield "last"

    with TestClient(app) as client, client.stream("GET", "/") as answer:
        assert next(iter(answer)) == b"first"
        assert told.spans == []
        release.set()
        answer.read()
        until(lambda: told.spans)

    assert attributes(told.spans[0])["http.response.status_code"] == 200


def test_a_stream_that_nobody_reads_to_its_end_says_so(told: Told) -> None:
    app = App(plugins=[told.plugin()])

    @app.get("/")
    async def show() -> AsyncIterator[str]:
        yield "first"
        await asyncio.sleep(3600)

    with LiveServer(app) as server:
        import socket

        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert client.recv(4096)
        until(lambda: told.spans)

    assert attributes(told.spans[0])["error.type"] == "client_left"
    assert told.spans[0].status.status_code is StatusCode.UNSET


def test_an_exception_is_recorded(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    app = App(plugins=[told.plugin()])

    @app.get("/")
    async def broken() -> str:
        raise OSError("no")

    with TestClient(app, raise_errors=False) as client, caplog.at_level(logging.CRITICAL):
        assert client.get("/").status == 500
    (span,) = told.spans

    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "OSError"
    assert attributes(span)["http.response.status_code"] == 500
    assert [event.name for event in span.events] == ["exception"]
    assert dict(span.events[0].attributes or {})["exception.message"] == "no"
    assert told.durations[0][1]["error.type"] == "OSError"


def test_what_the_client_did_wrong_is_no_error_of_ours(told: Told) -> None:
    app = App(plugins=[told.plugin()])

    @app.get("/todos/{id:int}")
    async def show(id: int) -> int:
        raise NotFound

    with TestClient(app) as client:
        client.get("/todos/7")
        client.get("/nowhere")
        client.request("BREW", "/todos/7")
    found, lost, brewed = told.spans

    assert [span.name for span in (found, lost, brewed)] == ["GET /todos/{id}", "GET", "HTTP"]
    assert [attributes(span)["http.response.status_code"] for span in told.spans] == [404, 404, 405]
    assert all(span.status.status_code is StatusCode.UNSET for span in told.spans)
    assert "http.route" not in attributes(lost)
    assert attributes(brewed)["http.request.method"] == "_OTHER"
    assert attributes(brewed)["http.request.method_original"] == "BREW"


def test_parts_of_the_site_can_be_left_out(told: Told) -> None:
    app = App(plugins=[told.plugin(except_for=["/livez"])])
    app.add_route("/livez", lambda: "", name="livez")

    with TestClient(app) as client:
        client.get("/livez")

    assert told.spans == []


def test_a_line_of_the_log_names_the_span(told: Told) -> None:
    app = App(plugins=[told.plugin()])
    seen: list[dict[str, str]] = []

    @app.get("/")
    async def home(request: Request) -> str:
        seen.append(trace_of(request))
        return format(trace.get_current_span().get_span_context().span_id, "016x")

    with TestClient(app) as client:
        number = client.get("/").text
    (span,) = told.spans

    assert span.context is not None
    assert seen == [{"trace_id": f"{span.context.trace_id:032x}", "span_id": number}]


@pytest.mark.parametrize(
    ("host", "parts"),
    [
        ("a.test", ("a.test", None)),
        ("a.test:81", ("a.test", 81)),
        ("[::1]:81", ("::1", 81)),
        ("[::1]", ("::1", None)),
        ("", ("", None)),
    ],
)
def test_a_host_is_told_in_its_parts(host: str, parts: tuple[str, int | None]) -> None:
    assert host_and_port(host) == parts
