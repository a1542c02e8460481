"""Middleware that was written for ASGI, around routes: Sentry's, OpenTelemetry's and asgi-correlation-id's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import (  # pyright: ignore[reportMissingTypeStubs] - it has none
    OpenTelemetryMiddleware,
)
from opentelemetry.sdk.trace import TracerProvider
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware

from kingpost import App, Blueprint, NotFound
from kingpost.interop import AsgiMiddleware, AsgiRoute

provider = TracerProvider()


def named_by_route(scope: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """A span is named by its route: there are few of them, and no numbers in them."""
    route: AsgiRoute | None = scope["route"]
    if route is None:
        return str(scope["method"]), {}
    return f"{scope['method']} {route.path_format}", {"http.route": route.path_format}


app = App(
    middleware=[
        AsgiMiddleware(SentryAsgiMiddleware),
        AsgiMiddleware(
            OpenTelemetryMiddleware, default_span_details=named_by_route, tracer_provider=provider
        ),
    ]
)
shop = Blueprint(
    "shop",
    prefix="/shop",
    middleware=[AsgiMiddleware(CorrelationIdMiddleware, header_name="X-Correlation-ID")],
)


@shop.get("/orders/{number:int}")
async def show(number: int) -> dict[str, object]:
    if number > 99:
        raise NotFound(f"no order {number}")
    return {
        "order": number,
        "correlation": correlation_id.get(),
        "span": trace.get_current_span().get_span_context().span_id,
    }


@shop.get("/stock")
def stock() -> dict[str, str | None]:
    return {"correlation": correlation_id.get()}


@shop.get("/lines")
def lines() -> Iterator[str]:
    yield "one\n"
    yield "two\n"


@shop.get("/broken")
def broken() -> str:
    raise RuntimeError("the warehouse is on fire")


app.include(shop)


@app.get("/plain")
async def plain() -> str:
    return "no correlation here"
