"""Descriptors of a process: as many as the system lets it have, the three that all programs expect, and enough for its workers."""

from __future__ import annotations

import os

# No program needs more, and some go through all that there could be.
_MOST = 1 << 20
# What systems refuse to exceed that say that there is no limit.
_TRIES = (_MOST, 65_536, 10_240)
# Beside what grows with the workers: streams, the loop's, files of modules that are being imported.
_OTHERS = 64


class TooFew(Exception):
    """This process may have fewer descriptors than it needs; the message says how many, and how to get them."""


def fill_standard() -> None:
    """Opens standard input, output and error where they are closed: what is opened next would be taken for them."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is given.
            opened = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(opened, True)  # noqa: FBT003 - it takes no name


def raise_limit() -> int | None:
    """Lets this process open as many files as it may let itself; returns how many, None where that is not bounded."""
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in _TRIES:
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        if soft == resource.RLIM_INFINITY or wanted <= soft:
            break
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            continue
        return wanted
    return None if soft == resource.RLIM_INFINITY else soft


def check(workers: int, slots: int, limit: int | None) -> None:
    """That the supervisor of so many workers can open what it keeps for them.

    Raises:
        TooFew: it cannot.
    """
    # For each slot two lanes with two ends each, for each worker a line, its successor's, and sockets by IPv4 and IPv6.
    needed = 4 * slots + 4 * workers + _OTHERS
    if limit is not None and limit < needed:
        raise TooFew(
            f"{workers} workers need {needed} descriptors, and this process may have {limit}:"
            f" say fewer --workers, or allow more, by `ulimit -n {needed}` in a shell or LimitNOFILE={needed} in systemd"
        )
