"""A port of its own for those who run a service: health and metrics are served there, and not to the public.

Rule 1: every worker listens there, on a socket that all of them may have; whichever answers tells of all.
Rule 2: it is served as long as the service is, while it stops as well.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from kingpost import _native
from kingpost.errors import ConfigurationError
from kingpost.server import logs
from kingpost.server.engine import Engine, Service
from kingpost.server.listen import ListenError
from kingpost.server.options import Options
from kingpost.server.protocol import TransportShell

VARIABLE: Final = "KINGPOST_OPS"
"""The variable that has host and port, as `127.0.0.1:9000`; workers and what else is started obey it as well."""
THREADS: Final = 2
LIMITS: Final = {
    "connections": 256,
    # Who looks why there is too much to do is not turned away.
    "in_flight": 1 << 30,
    "queue_delay": 1 << 30,
}
BACKLOG: Final = 64


def address() -> tuple[str, int] | None:
    """Host and port for those who run the service; None where there is none.

    Raises:
        ConfigurationError: `settings.environment` where it is none.
    """
    said = os.environ.get(VARIABLE)
    if not said:
        return None
    host, _, port = said.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ConfigurationError(
            f"{VARIABLE}={said!r} is no host and port",
            code="settings.environment",
            remedy=f"set {VARIABLE}=127.0.0.1:9000, or unset it",
        )
    return host.strip("[]"), int(port)


def open_socket(host: str, port: int) -> socket.socket:
    """A socket that listens, and that other workers may listen beside.

    Raises:
        ListenError: the address cannot be had.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenError(f"{host}:{port} is no address for operations: {error}") from None
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reuse: int | None = getattr(socket, "SO_REUSEPORT", None)
        if reuse is not None:
            opened.setsockopt(socket.SOL_SOCKET, reuse, 1)
        opened.bind(where)
        opened.listen(BACKLOG)
        opened.settimeout(0)
    except OSError as error:
        opened.close()
        raise ListenError(
            f"operations cannot be served on {host}:{port}: {error.strerror}; say another --ops-port"
        ) from None
    return opened


@asynccontextmanager
async def operated(
    service: Service, options: Options, loop: asyncio.AbstractEventLoop, *, native: bool
) -> AsyncGenerator[None]:
    """Serves what is for those who run a service, where it was given a port.

    Raises:
        ListenError: the port cannot be had.
    """
    where = address()
    operations: Any = getattr(service, "operations", None)
    if where is None or operations is None:
        if where is not None:
            logs.logger().warning(
                "nothing is served on port %d: the app has neither Health() nor Metrics()", where[1]
            )
        yield
        return
    listening = open_socket(*where)
    engine = Engine(
        operations,
        Options(
            threads=THREADS,
            tasks=options.tasks,
            driver=options.driver,
            limits=LIMITS,
        ),
        loop=loop,
        context=contextvars.copy_context(),
        sockets=native,
    )
    application: Any = service.dispatch
    operations.dispatch.readings = application.readings
    write_timeout = _native.LIMITS["write_timeout"] / 1000
    shell = None if native else TransportShell(engine.server, write_timeout=write_timeout)
    try:
        if shell is None:
            loop.add_reader(engine.server.fileno(), engine.server.poll)
            engine.server.listen(listening.fileno())
        else:
            await shell.listen([listening])
        yield
    finally:
        if shell is None:
            # Before the descriptor is closed, as for the service itself.
            loop.remove_reader(engine.server.fileno())
        engine.close()
        if shell is not None:
            await shell.close()
        listening.close()
