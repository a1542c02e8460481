"""`JsonFormatter`: log records as JSON, one object a line, with the request that they belong to.

Rule 1: a line is one line of printable ASCII, whatever a record holds: nothing that a client wrote can end it or begin another one.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from kingpost.logging.request import here, want_request

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest was added by who logs."""


class JsonFormatter(logging.Formatter):
    """Writes a record as one object: time, level, logger, message, request, trace_id, span_id, exception, and what `extra=` has added.

    It is made before the server starts.

    Example:
        `handler.setFormatter(JsonFormatter())`
    """

    def __init__(self) -> None:
        super().__init__()
        want_request()

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
