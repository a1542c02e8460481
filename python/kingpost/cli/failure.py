"""What to tell a person whose program does not start: one line for the reason, and Python's own words without ours."""

from __future__ import annotations

import linecache
import os
import traceback
from pathlib import Path
from types import TracebackType

from kingpost.errors import ConfigurationError
from kingpost.server.child import Failure

_OURS = str(Path(__file__).absolute().parent.parent) + os.sep


def failure_of(error: BaseException) -> Failure:
    """The summary ("SyntaxError in shop.py, line 3: …") and the report; the exception keeps the user's own frames alone."""
    if isinstance(error, ConfigurationError):
        return Failure(error.message, str(error))
    # Sources are read anew: a reloading process must not quote what the file said before.
    linecache.checkcache()
    trace = _users_part(error.__traceback__)
    report = "".join(traceback.format_exception(error.with_traceback(trace)))
    return Failure(_summary(error, trace), report)


def _summary(error: BaseException, trace: TracebackType | None) -> str:
    name = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{name} in {_short(error.filename)}, line {error.lineno}: {error.msg}"
    last = traceback.extract_tb(trace)[-1:] if trace else []
    where = f" in {_short(last[0].filename)}, line {last[0].lineno}" if last else ""
    said = str(error)
    return f"{name}{where}: {said}" if said else f"{name}{where}"


def _users_part(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame on that is the user's; all of it where there is none."""
    found = trace
    while found is not None and _is_machinery(found.tb_frame.f_code.co_filename):
        found = found.tb_next
    return found


def _is_machinery(filename: str) -> bool:
    return (
        filename.startswith((_OURS, "<frozen importlib"))
        or f"importlib{os.sep}__init__.py" in filename
    )


def _short(filename: str) -> str:
    try:
        relative = os.path.relpath(filename)
    except ValueError:
        return filename
    return filename if relative.startswith("..") else relative
