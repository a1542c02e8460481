"""What the server says, by the standard `logging` under the name "kingpost".

A program that configures logging decides alone. One that does not still sees what matters, on standard error.
"""

from __future__ import annotations

import logging
import os
import sys

from kingpost.logging import JsonFormatter

NAME = "kingpost"
FORMAT = "KINGPOST_LOG_FORMAT"
"""The variable that says how lines look where nobody has configured logging; processes that are started by this one obey it, too."""


def logger(part: str = "server") -> logging.Logger:
    """The logger of a part of Kingpost.

    Asked for when there is something to say, never at import: `dictConfig` disables every logger that exists before it
    and is not named in it.
    """
    return logging.getLogger(f"{NAME}.{part}")


class FallbackHandler(logging.StreamHandler):  # type: ignore[type-arg]  # not subscriptable at run time in 3.11
    """Writes to standard error as long as nobody else would write."""

    def emit(self, record: logging.LogRecord) -> None:
        if not _others(self):
            super().emit(record)


def set_up(level: int = logging.INFO) -> None:
    """Gives "kingpost" a handler unless the program has configured one, for it or for the root.

    A program that configures logging later, in its lifespan for instance, silences this handler by doing so. Where the environment's
    KINGPOST_LOG_FORMAT is "json", all loggers get one, which writes an object a line.
    """
    if os.environ.get(FORMAT) == "json":
        set_up_json(level)
        return
    ours = logging.getLogger(NAME)
    if any(isinstance(handler, FallbackHandler) for handler in ours.handlers):
        return
    handler = FallbackHandler(sys.stderr)
    if _others(handler):
        return
    handler.setFormatter(_Formatter())
    ours.addHandler(handler)
    if ours.level == logging.NOTSET:
        ours.setLevel(level)


def set_up_json(level: int) -> None:
    """Gives the root a handler that writes JSON, unless the program has configured logging."""
    root = logging.getLogger()
    handler = FallbackHandler(sys.stderr)
    if _others(handler):
        return
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    root.setLevel(level)
    # What Python warns of is a line like any other.
    logging.captureWarnings(capture=True)


def _others(handler: logging.Handler) -> bool:
    ours = logging.getLogger(NAME)
    return any(one is not handler for one in (*ours.handlers, *logging.getLogger().handlers))


class _Formatter(logging.Formatter):
    """One line each: information as it is, the rest with its level in front."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno == logging.INFO else f"{record.levelname}: {text}"
