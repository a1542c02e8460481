"""Sentry, OpenTelemetry and asgi-correlation-id do around our routes what they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from kingpost.testing import TestClient
from tests.programs import asgi_middleware

CORRELATION = "0f" * 16


class Sent(Transport):
    """What Sentry would have sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        event = envelope.get_event()
        if event is not None:
            self.events.append(dict(event))


@pytest.fixture
def sent() -> Iterator[Sent]:
    transport = Sent()
    # It would import what else is installed, to look into it.
    sentry_sdk.init(
        dsn="https://key@sentry.invalid/1",
        transport=transport,
        default_integrations=False,
        auto_enabling_integrations=False,
    )
    yield transport
    sentry_sdk.init(default_integrations=False, auto_enabling_integrations=False)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    asgi_middleware.provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


def served(spans: InMemorySpanExporter) -> list[tuple[Any, ...]]:
    """Name, route, status of the answer, and status of each span of a request."""
    return [
        (
            span.name,
            (span.attributes or {}).get("http.route"),
            (span.attributes or {}).get("http.status_code"),
            span.status.status_code,
        )
        for span in spans.get_finished_spans()
        if span.kind is SpanKind.SERVER
    ]


def test_sentry_is_told_of_what_fails_and_of_nothing_else(sent: Sent) -> None:
    with TestClient(asgi_middleware.app, raise_errors=False) as client:
        statuses = [
            client.get(path).status
            for path in ("/shop/orders/7", "/shop/orders/100", "/nowhere", "/shop/broken?a=1")
        ]

    assert statuses == [200, 404, 404, 500]
    (event,) = sent.events
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("RuntimeError", "the warehouse is on fire")
    assert error["stacktrace"]["frames"][-1]["function"] == "broken"
    assert event["transaction"] == "tests.programs.asgi_middleware.broken"
    assert event["request"]["url"] == "http://localhost/shop/broken"
    assert event["request"]["query_string"] == "a=1"


def test_opentelemetry_makes_one_span_for_each_request(spans: InMemorySpanExporter) -> None:
    with TestClient(asgi_middleware.app, raise_errors=False) as client:
        shown = client.get("/shop/orders/7").json()
        for path in ("/shop/orders/100", "/shop/lines", "/shop/broken", "/nowhere"):
            client.get(path)

    order, lines, broken = "/shop/orders/{number}", "/shop/lines", "/shop/broken"
    assert served(spans) == [
        (f"GET {order}", order, 200, StatusCode.UNSET),
        (f"GET {order}", order, 404, StatusCode.UNSET),
        (f"GET {lines}", lines, 200, StatusCode.UNSET),
        (f"GET {broken}", broken, 500, StatusCode.ERROR),
        ("GET", None, 404, StatusCode.UNSET),
    ]
    first = next(span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER)
    assert first.context is not None
    assert first.context.span_id == shown["span"]


@pytest.mark.parametrize("path", ["/shop/orders/7", "/shop/stock"])
def test_the_correlation_id_is_in_the_header_and_inside_of_handlers(path: str) -> None:
    with TestClient(asgi_middleware.app) as client:
        taken = client.get(path, headers={"x-correlation-id": CORRELATION})
        made = client.get(path)

    assert taken.headers.get_all("x-correlation-id") == [CORRELATION]
    assert taken.json()["correlation"] == CORRELATION
    assert made.headers["x-correlation-id"] == made.json()["correlation"] != CORRELATION


def test_the_correlation_id_is_on_streams_and_on_errors_and_on_no_other_route() -> None:
    with TestClient(asgi_middleware.app, raise_errors=False) as client:
        answers = [
            client.get(path, headers={"x-correlation-id": CORRELATION})
            for path in ("/shop/lines", "/shop/orders/100", "/shop/broken", "/plain")
        ]

    assert answers[0].text == "one\ntwo\n"
    assert [answer.headers.get("x-correlation-id") for answer in answers] == [
        CORRELATION,
        CORRELATION,
        CORRELATION,
        None,
    ]
