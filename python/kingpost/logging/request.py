"""The request that a log record belongs to, and `RequestFilter`, which gives its number to every record.

Rule 1: it is known by a context variable, which the server sets for each request as soon as somebody has made a formatter or a filter that
looks at it, and not before.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kingpost._native import Request

REQUEST: Final[ContextVar[Request | None]] = ContextVar("kingpost.logged_request", default=None)
"""The request that runs."""

_wanted: list[bool] = []


def want_request() -> None:
    """Have the server set the variable for each request, from the next start on."""
    _wanted[:] = [True]


def request_variable() -> ContextVar[Request | None] | None:
    """The variable that the server sets for each request; None where nobody looks at it."""
    return REQUEST if _wanted else None


class RequestFilter(logging.Filter):
    """Gives every record `request_id`, `trace_id` and `span_id`, for a format such as `"%(request_id)s %(message)s"`; "-" outside of requests.

    It is made before the server starts, and added to a handler.
    """

    def __init__(self) -> None:
        super().__init__()
        want_request()

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass."""
        told = here()
        record.request_id = told.get("request", "-")
        record.trace_id = told.get("trace_id", "-")
        record.span_id = told.get("span_id", "-")
        return True


def here() -> dict[str, str]:
    """What is known of the request that runs, and of its trace; empty outside of requests."""
    request = REQUEST.get()
    told = {} if request is None else {"request": request.id}
    return {**told, **trace_of(request)}


def trace_of(request: Request | None) -> dict[str, str]:
    """The trace: the current span's where OpenTelemetry is at work, else that which the client named."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    sent = None if request is None else request.headers.get("traceparent")
    parts = sent.split("-") if isinstance(sent, str) and len(sent) < 64 else []
    is_one = len(parts) == 4 and len(parts[1]) == 32 and set(parts[1]) <= set("0123456789abcdef")
    return {"trace_id": parts[1]} if is_one else {}
