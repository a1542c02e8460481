"""Whether it can do as much as it says, and no more than it can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kingpost import _native
from kingpost.checks.deploy.site import Setup, Site, Told, error, warning
from kingpost.limits import MIB, UPLOAD_BYTES
from kingpost.server.listen import BACKLOG

LARGEST_BODY: Final = 256 * MIB
TOO_MANY: Final = 4
"""Workers for each processor."""
OTHER_FILES: Final = 200
"""Descriptors for everything that is no connection: databases, files, the engine's own."""
LOOSE: Final = 16
"""Times its default that a limit may be."""
UPLOADS_AT_ONCE: Final = 16
TUNED: Final = frozenset({"connections", "connections_per_peer"})
"""Limits that are a matter of capacity, which is looked at elsewhere."""
FEWEST: Final = 64
"""Connections that ten browsers open by HTTP/1.1."""
FEWEST_OF_A_PEER: Final = 16
"""Connections that two browsers open behind one address."""


def workers(site: Setup) -> Iterator[Told]:
    """That the processors are used, and not fought for."""
    count, processors = site.serving.workers, site.machine.processors
    if count == 1 and processors > 1:
        yield warning(
            f"one worker uses one of {processors} processors, and while it starts anew nobody answers",
            "say --workers auto",
        )
    elif count is not None and count > TOO_MANY * processors:
        yield warning(
            f"{count} workers fight for {processors} processor{'s' * (processors > 1)}",
            "say --workers auto; for handlers that wait there are threads and async def",
        )


def open_files(site: Setup) -> Iterator[Told]:
    """That as many connections can be open as the limit says."""
    most = site.serving.limit("connections")
    if site.machine.open_files is not None and site.machine.open_files < most + OTHER_FILES:
        yield warning(
            f"the process may have {site.machine.open_files} files open, and {most} connections are allowed",
            f"LimitNOFILE={most + OTHER_FILES} in systemd, ulimit -n in a shell; or --limit connections={max(site.machine.open_files - OTHER_FILES, 1)}",
        )


def backlog(site: Setup) -> Iterator[Told]:
    """That the system lets as many connections wait as we ask for."""
    if site.machine.backlog is not None and site.machine.backlog < BACKLOG:
        yield warning(
            f"the system lets {site.machine.backlog} connections wait, and a reload or a burst needs {BACKLOG}",
            f"sysctl -w net.core.somaxconn={2 * BACKLOG}",
        )


def connections(site: Setup) -> Iterator[Told]:
    """That neither few visitors nor one of them can take all connections."""
    most, of_a_peer = site.serving.limit("connections"), site.serving.limit("connections_per_peer")
    if most < FEWEST:
        yield warning(
            f"--limit connections={most} is used up by {max(most // 6, 1)} browsers, which open six each; who comes next waits",
            "leave it out, or allow as many as the process may have files open",
        )
    # Those of this machine are not counted by their address.
    if not site.serving.is_public:
        return
    if of_a_peer < FEWEST_OF_A_PEER:
        yield warning(
            f"--limit connections_per_peer={of_a_peer} closes connections of visitors who share an address: a browser opens six, and an office has many",
            f"leave it out: it is {_native.LIMITS['connections_per_peer']} if you do not say",
        )
    elif of_a_peer >= most:
        yield warning(
            f"one visitor may have {of_a_peer} connections, and all together {most}: one can take them all",
            f"say a smaller --limit connections_per_peer, such as {max(most // 16, FEWEST_OF_A_PEER)}",
        )


def body_limit(site: Site) -> Iterator[Told]:
    """That a body is held in memory only where that is affordable."""
    for route in site.routes:
        if route.max_body > LARGEST_BODY and not route.served.reads.streams:
            yield warning(
                f"{route.path} takes bodies of {route.max_body // MIB} MiB, whole: a few visitors fill the memory",
                "take BodyStream or MultipartStream, or a smaller max_body",
                route.place,
            )


def limits_loose(site: Setup) -> Iterator[Told]:
    """That limits which keep attackers out still do."""
    for name, value in site.serving.limits.items():
        default = _native.LIMITS[name]
        if name not in TUNED and value > LOOSE * default:
            yield warning(
                f"--limit {name}={value} is {value // max(default, 1)} times the default",
                "choose the smallest that your visitors need",
            )


def threads(site: Setup) -> Iterator[Told]:
    """That not thousands of threads take the memory."""
    count = (site.serving.workers or site.machine.processors) * site.serving.threads
    if count > 1000:
        yield warning(
            f"{count} threads may be started, and each needs memory and a connection to the database",
            "say a smaller --threads; handlers that wait long are better async def",
        )


def uvloop(site: Setup) -> Iterator[Told]:
    """That the faster loop is there, where something awaits."""
    if not site.awaits:
        return
    if site.machine.user is not None and not site.machine.has_uvloop:
        yield warning(
            "uvloop is not installed: what awaits takes about twice the time",
            "pip install uvloop",
        )
    elif site.serving.loop == "asyncio" and site.machine.has_uvloop:
        yield warning("--loop asyncio leaves the faster loop aside", "leave --loop out")


def tempdir(site: Setup) -> Iterator[Told]:
    """That uploads can be put aside."""
    if site.machine.temporary is None:
        yield error(
            "no temporary file can be written, and uploads need them",
            "set TMPDIR to a folder that can be; PrivateTmp=yes in systemd",
        )
        return
    free, need = site.machine.temporary_free, UPLOADS_AT_ONCE * UPLOAD_BYTES
    if free is not None and free < need:
        yield warning(
            f"{site.machine.temporary} has {free // MIB} MiB left, and {UPLOADS_AT_ONCE} uploads at once need {need // MIB}",
            "set TMPDIR to a folder on a larger disk",
        )


OF_SETUP: Final[Mapping[str, Callable[[Setup], Iterator[Told]]]] = {
    "workers": workers,
    "ulimit-nofile": open_files,
    "backlog": backlog,
    "limits-connections": connections,
    "limits-loose": limits_loose,
    "threads": threads,
    "uvloop": uvloop,
    "tempdir": tempdir,
}
OF_APP: Final[Mapping[str, Callable[[Site], Iterator[Told]]]] = {
    "body-limit": body_limit,
}
