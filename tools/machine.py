"""The system's package manager: apt-get on Debian and Ubuntu, brew on macOS."""

from __future__ import annotations

import functools
import os
import re
import shutil

from tools.console import Failure, ask, attempt, say


def install(purpose: str, *, apt: tuple[str, ...] = (), brew: tuple[str, ...] = ()) -> None:
    """Install system packages, saying so first.

    Args:
        purpose: what is missing, for the person: "a C compiler".
        apt: package names on Debian and Ubuntu; empty: there are none.
        brew: package names on macOS with Homebrew; empty: there are none.

    Raises:
        Failure: no package manager that we know, no right to use it, or it failed; the message has
            the command to type.
    """
    if apt and shutil.which("apt-get"):
        command = " ".join(("apt-get install -y", *apt))
        prefix = _as_root()
        if prefix is None:
            raise Failure(f"{purpose} is missing; run this as root, then ./dev again: {command}")
        say(f"{purpose} is missing: {command}")
        _refresh()
        done = attempt(*prefix, "apt-get", "install", "-y", *apt, env=_QUIET, quiet=True)
    elif brew and shutil.which("brew"):
        command = " ".join(("brew install", *brew))
        say(f"{purpose} is missing: {command}")
        done = attempt("brew", "install", *brew)
    else:
        names = " or ".join({" ".join(apt), " ".join(brew)} - {""})
        raise Failure(
            f"{purpose} is missing; install it (packages are called {names}), then ./dev again"
        )
    if done != 0:
        raise Failure(f"this failed; run it by hand, then ./dev again: {command}")


def apt_version(package: str) -> tuple[int, ...] | None:
    """The version of a Debian package that apt-get would install, or None where there is none."""
    if shutil.which("apt-get") is None or _as_root() is None:
        return None
    _refresh()
    policy = ask("apt-cache", "policy", package, env={"LC_ALL": "C"}) or ""
    found = re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", policy)
    return (int(found[1]), int(found[2])) if found else None


_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


@functools.cache
def _refresh() -> None:
    """Fetch the package lists, once: a fresh machine has none."""
    attempt(*(_as_root() or ()), "apt-get", "update", "-q", env=_QUIET, quiet=True)


def _as_root() -> tuple[str, ...] | None:
    """What to write before a command that only root may run, or None if that cannot be done."""
    if os.geteuid() == 0:
        return ()
    return ("sudo",) if shutil.which("sudo") else None
