"""`JsonLines`: log records as JSON, one object a line, with the request that they belong to.

Rule 1: a line is one line of printable ASCII, whatever a record holds: nothing that a client wrote can end it or begin another one.
Rule 2: the request is known by a context variable, which the server sets for each request as soon as somebody has made a formatter or a
filter of this module, and not before.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from kingpost._native import Request

REQUEST: Final[ContextVar[Request | None]] = ContextVar("kingpost.logged_request", default=None)
"""The request that runs."""

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest was added by who logs."""

_wanted: list[bool] = []


def request_variable() -> ContextVar[Request | None] | None:
    """The variable that the server sets for each request; None where nobody looks at it."""
    return REQUEST if _wanted else None


class RequestFilter(logging.Filter):
    """Gives every record `request_id`, `trace_id` and `span_id`, for a format such as `"%(request_id)s %(message)s"`; "-" outside of requests.

    It is made before the server starts, and added to a handler.
    """

    def __init__(self) -> None:
        super().__init__()
        _wanted[:] = [True]

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass."""
        told = here()
        record.request_id = told.get("request", "-")
        record.trace_id = told.get("trace_id", "-")
        record.span_id = told.get("span_id", "-")
        return True


class JsonLines(logging.Formatter):
    """Writes a record as one object: time, level, logger, message, request, trace_id, span_id, exception, and what `extra=` has added.

    Example:
        `handler.setFormatter(JsonLines())`
    """

    def __init__(self) -> None:
        super().__init__()
        _wanted[:] = [True]

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **here(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            # The message of an access log says the same for people, or as JSON.
            said.update(cast("Mapping[str, Any]", fields))
        for name, value in vars(record).items():
            if name not in STANDARD and name != "fields":
                said.setdefault(name, value)
        if record.exc_info and record.exc_info[0] is not None:
            said["exception"] = self.formatException(record.exc_info)
        elif record.exc_text:
            said["exception"] = record.exc_text
        if record.stack_info:
            said["stack"] = self.formatStack(record.stack_info)
        return one_line(said)


def one_line(said: Mapping[str, Any]) -> str:
    """JSON in printable ASCII."""
    try:
        text = json.dumps(said, default=str, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError):
        # Keys that are no text, or something inside of itself: what was logged is not lost for that.
        text = json.dumps({str(key): str(value) for key, value in said.items()})
    return text.replace("\x7f", "\\u007f")


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
