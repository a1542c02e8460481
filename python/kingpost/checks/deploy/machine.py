"""What the machine, and the process that looks, are like."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

import msgspec

MANY = 1 << 62
"""Stands for "no limit"."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that checks look at; None where this system has no such thing.

    Attributes:
        folder: the working folder, where `.env` is read.
        environment: the variables.
        user: the number of the user that the process acts as.
        umask: permissions that new files do not get.
        processors: those that the process may run on.
        open_files: descriptors that it may have open.
        core_size: bytes of its memory that a crash may write to a file.
        backlog: connections that may wait on one socket.
        python: the version.
        is_debugging: whether Python looks for mistakes at run time, which costs.
        has_uvloop: whether uvloop can be imported.
        temporary: the folder for temporary files; None where none can be written to.
        temporary_free: bytes that are free there.
        is_container: whether it runs in a container.
        today: the date.
    """

    folder: Path = Path()
    environment: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    user: int | None = 1000
    umask: int | None = 0o022
    processors: int = 1
    open_files: int | None = 65_536
    core_size: int | None = 0
    backlog: int | None = 4096
    python: tuple[int, int] = (sys.version_info[0], sys.version_info[1])
    is_debugging: bool = False
    has_uvloop: bool = True
    temporary: str | None = "/tmp"  # noqa: S108 - a name that is shown
    temporary_free: int | None = MANY
    is_container: bool = False
    today: date = date(2026, 1, 1)

    @classmethod
    def here(cls) -> Machine:
        """This machine, as this process sees it."""
        temporary = temporary_folder()
        return cls(
            folder=Path.cwd(),
            environment=dict(os.environ),
            user=os.geteuid() if sys.platform != "win32" else None,
            umask=number_in("/proc/self/status", r"^Umask:\s*([0-7]+)$", 8),
            processors=processors(),
            open_files=limit("RLIMIT_NOFILE", hard=True),
            core_size=limit("RLIMIT_CORE"),
            backlog=number_in("/proc/sys/net/core/somaxconn", r"^(\d+)$", 10),
            is_debugging=sys.flags.dev_mode
            or bool(os.environ.get("PYTHONASYNCIODEBUG"))
            or hasattr(sys, "gettotalrefcount"),
            has_uvloop=find_spec("uvloop") is not None,
            temporary=temporary,
            temporary_free=None if temporary is None else shutil.disk_usage(temporary).free,
            is_container=Path("/.dockerenv").exists()
            or Path("/run/.containerenv").exists()
            or "KUBERNETES_SERVICE_HOST" in os.environ,
            today=datetime.now(UTC).date(),
        )


def processors() -> int:
    """How many processors this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return os.cpu_count() or 1 if affinity is None else len(affinity(0))


def limit(name: str, *, hard: bool = False) -> int | None:
    """A limit of this process, or the one that it can raise that to; None where the system has none of that name."""
    try:
        import resource
    except ImportError:
        return None
    number = resource.getrlimit(getattr(resource, name))[hard]
    return MANY if number == resource.RLIM_INFINITY else number


def number_in(path: str, pattern: str, base: int) -> int | None:
    """The number that a pattern finds in a file; None where there is no such file."""
    try:
        text = Path(path).read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(pattern, text, re.MULTILINE)
    return None if found is None else int(found[1], base)


def temporary_folder() -> str | None:
    """Where temporary files are put; None where they cannot be."""
    try:
        with tempfile.TemporaryFile():
            return tempfile.gettempdir()
    except OSError:
        return None
