"""As whom the process runs, on what, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from kingpost.checks.deploy.site import Setup, Told, warning

OTHERS_WRITE: Final = 0o002
END_OF_LIFE: Final[Mapping[tuple[int, int], date]] = {
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
    (3, 15): date(2031, 10, 31),
}
"""Until when there are security fixes (PEP 664, 693, 719, 745, 790)."""


def root_user(site: Setup) -> Iterator[Told]:
    """That a hole in the App is no hole in the machine."""
    if site.machine.user == 0:
        yield warning(
            "it would run as root: whoever breaks into the app has the machine",
            "User= in systemd, USER in a Dockerfile; a port below 1024 comes from a proxy or a socket unit",
        )


def python_eol(site: Setup) -> Iterator[Told]:
    """That Python still gets fixes."""
    end = END_OF_LIFE.get(site.machine.python)
    if end is not None and site.machine.today > end:
        major, minor = site.machine.python
        yield warning(
            f"Python {major}.{minor} has had no security fixes since {end:%Y-%m-%d}",
            "move to a later one",
        )


def python_debug(site: Setup) -> Iterator[Told]:
    """That Python does not look for mistakes with every step."""
    if site.machine.is_debugging:
        yield warning(
            "Python runs in a mode for debugging, which takes several times the time",
            "unset PYTHONDEVMODE and PYTHONASYNCIODEBUG, leave -X dev out, and use a release build",
        )


def core_dumps(site: Setup) -> Iterator[Told]:
    """That a crash does not write the secrets to a disk."""
    if site.machine.core_size:
        yield warning(
            "a crash writes the process's memory to a file, keys and passwords with it",
            "LimitCORE=0 in systemd, ulimit -c 0 in a shell",
        )


def umask(site: Setup) -> Iterator[Told]:
    """That files which it makes are not everybody's to write."""
    if site.machine.umask is not None and not site.machine.umask & OTHERS_WRITE:
        yield warning(
            f"the umask is {site.machine.umask:03o}: every user of the machine may change the files that it makes",
            "UMask=0027 in systemd, umask 027 in a shell",
        )


def code_writable(site: Setup) -> Iterator[Told]:
    """That not every user of the machine can change the program."""
    # Windows has no such permissions.
    if site.machine.user is None:
        return
    for path in site.files:
        file = site.machine.folder / path
        if file.is_file() and file.stat().st_mode & OTHERS_WRITE:
            yield warning(
                f"{path} can be changed by every user of this machine",
                f"chmod o-w {path}",
            )


OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    "root-user": root_user,
    "python-eol": python_eol,
    "python-debug": python_debug,
    "core-dumps": core_dumps,
    "umask": umask,
    "code-writable": code_writable,
}
