"""An App that tells how it is: health, numbers, a log as JSON, and spans."""

from __future__ import annotations

import logging

from kingpost import App
from kingpost.checks import Health, Metrics
from kingpost.logging import JsonFormatter
from kingpost.middleware import AccessLog
from kingpost.telemetry import Telemetry

handler = logging.StreamHandler()
handler.setFormatter(JsonFormatter())
log = logging.getLogger("observed")
log.addHandler(handler)

app = App(
    middleware=[AccessLog(except_for=["/livez", "/readyz"])],
    plugins=[Health(), Metrics(), Telemetry(except_for=["/livez", "/readyz"])],
)


@app.extensions.metric("shop_orders_total", kind="counter")
def orders() -> int:
    """Orders that were placed."""
    return 3


@app.get("/todos/{id:int}")
async def show(id: int) -> str:
    log.warning("somebody looks at %d", id)
    return "learn to juggle"
