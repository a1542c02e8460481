"""Whether a host has several processes: each of them has an App of its own, and a memory of its own.

Nothing in ASGI says so, and of WSGI only `wsgi.multiprocess` does. What can be seen is looked at: the variables that hosts obey, and on Linux
the other children of our parent that run the same program.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from kingpost.http.counting import kept_here
from kingpost.server import logs

VARIABLES: Final = ("WEB_CONCURRENCY", "GRANIAN_WORKERS")
"""Numbers of processes: uvicorn and gunicorn obey the first, granian the second."""

_PIPE: Final = re.compile(rb"pipe_handle=[0-9]+")


def several(multiprocess: object = None) -> str:
    """What says that there are several processes; empty where nothing does.

    Args:
        multiprocess: what a WSGI host says of it.
    """
    if multiprocess:
        return "wsgi.multiprocess"
    for name in VARIABLES:
        value = os.environ.get(name, "")
        if value.isascii() and value.isdigit() and int(value) > 1:
            return f"{name}={value}"
    count = siblings(Path("/proc"))
    return f"{count + 1} processes of one parent" if count else ""


def siblings(proc: Path) -> int:
    """How many other children our parent has that run what we do; 0 where the system does not tell.

    Only of a parent that has made us: by multiprocessing, or as a copy of itself. A shell starts what it is told.
    """
    try:
        parent = os.getppid()
        own = _program(proc / "self")
        if b"multiprocessing" not in own and own != _program(proc / str(parent)):
            return 0
        children = (proc / f"{parent}/task/{parent}/children").read_text().split()
        return sum(
            child != str(os.getpid()) and _program(proc / child) == own for child in children
        )
    except OSError:
        # Another system, or somebody is gone meanwhile.
        return 0


def _program(process: Path) -> bytes:
    return _PIPE.sub(b"", (process / "cmdline").read_bytes())


def warn_of_others(multiprocess: object = None) -> None:
    """Says what several processes of a host do not share."""
    kept = kept_here()
    told = several(multiprocess) if kept else ""
    if told:
        logs.logger().warning(
            "%s: %s in the memory of each process for itself, so that each counts and tells its own only; the workers of `kingpost run --workers` share "
            "it, and here one process does, or a store that the processes share",
            told,
            f"{', '.join(kept)} {'is' if len(kept) == 1 else 'are'}",
        )
