"""How an App is started: what the command line of `kingpost run` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kingpost import _native

LOOPBACK = ("localhost", "::1")


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `kingpost run`; its own defaults where they are not said.

    Attributes:
        hosts: addresses to listen on; none means this machine only.
        uds: path of a Unix socket that stands in place of them.
        uds_mode: permissions of that socket.
        fd: number of a socket that somebody else opened.
        tls: whether connections are encrypted by the server itself.
        workers: processes; None for "as many as there are processors".
        threads: for `def` handlers, of each worker.
        grace: seconds that a stop may take.
        loop: "auto", "uvloop" or "asyncio".
        limits: those of the server that are not its own.
        ops: whether health and metrics have a port of their own.
    """

    hosts: Sequence[str] = ()
    uds: str | None = None
    uds_mode: int = 0o660
    fd: int | None = None
    tls: bool = False
    workers: int | None = 1
    threads: int = 40
    grace: float = 30.0
    loop: str = "auto"
    limits: Mapping[str, int] = msgspec.field(default_factory=dict[str, int])
    ops: bool = False

    def limit(self, name: str) -> int:
        """A limit of the server, as it is said or by itself."""
        return self.limits.get(name, _native.LIMITS[name])

    @property
    def is_public(self) -> bool:
        """Whether others than this machine can connect."""
        return any(host not in LOOPBACK and not host.startswith("127.") for host in self.hosts)

    @property
    def is_behind_a_proxy(self) -> bool:
        """Whether only something on this machine can connect, which must be a proxy then."""
        return self.fd is None and (self.uds is not None or not self.is_public)
