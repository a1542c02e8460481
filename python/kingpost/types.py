"""Small types that every layer shares. Imports nothing of ours.

`Place` is a line of the user's source: every refusal at start-up says where the thing that it refuses was written.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias

Mode: TypeAlias = Literal["development", "production", "test"]
"""How the app runs: the command decides (`kingpost dev`, `kingpost run`, `TestClient`), `KINGPOST_ENV` overrides."""

SameSite: TypeAlias = Literal["lax", "strict", "none"]
"""When a browser sends a cookie with a request that another site caused."""


class Place(NamedTuple):
    """A line of source.

    Attributes:
        file: The path as a person would type it: relative when it lies below the working directory.
        line: Counted from 1; 0 when it is not known.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    @classmethod
    def of(cls, thing: Callable[..., object] | type[object]) -> Place:
        """Where a function or class was written; `Place("<unknown>", 0)` for those made without source."""
        unwrapped = inspect.unwrap(thing)
        code = getattr(unwrapped, "__code__", None) or getattr(
            getattr(unwrapped, "__func__", None), "__code__", None
        )
        if code is not None:
            return cls(short_path(code.co_filename), code.co_firstlineno)
        try:
            _, line = inspect.getsourcelines(unwrapped)
            file = inspect.getsourcefile(unwrapped)
        except (OSError, TypeError):
            return cls("<unknown>", 0)
        return cls(short_path(file or "<unknown>"), line)

    @classmethod
    def of_caller(cls, *, package: str = "kingpost") -> Place:
        """The line of the nearest frame outside `package`: where the user called us; the command, where it was no program's line."""
        frame = inspect.currentframe()
        while frame is not None:
            name = str(frame.f_globals.get("__name__", ""))
            if name.startswith("click."):
                # `kingpost dev` adds what nobody has written.
                return cls(f"the {package} command", 0)
            if name != package and not name.startswith(package + "."):
                return cls(short_path(frame.f_code.co_filename), frame.f_lineno)
            frame = frame.f_back
        return cls("<unknown>", 0)


def short_path(path: str) -> str:
    """`path` relative to the working directory when it lies below it, else as it is."""
    if path.startswith("<"):
        return path
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive on Windows
        return path
    return path if relative.startswith("..") else relative


Scope: TypeAlias = Literal["request", "connection", "app"]
"""How long what a provider made is kept: for one request, for a client's connection, or from start to stop of the App."""

WEBSOCKET: Final = "WEBSOCKET"
"""What stands in the place of a method in the table of routes where a WebSocket is asked for."""

HandlerKind: TypeAlias = Literal["async", "thread", "inline", "asyncgen"]
"""How the engine calls a handler: stepped on the loop, on a worker thread, in place, or as a stream of chunks."""

Encoder: TypeAlias = (
    Literal["text", "html", "bytes", "json", "empty", "dynamic", "answer"] | Callable[[Any], bytes]
)
"""How the engine sends a value: by its type ("dynamic"), as the application says ("answer"), by a function that gives
JSON, or as one thing."""
