"""A port of its own for those who run a service: health and metrics are served there, and not to the public.

Rule 1: the sockets are opened once, before any worker is there, and by nobody beside; every worker accepts from them, so that whichever is
free answers, and tells of all.
Rule 2: it is served as long as the service is, while it stops as well.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from kingpost import _native
from kingpost.errors import ConfigurationError
from kingpost.server import logs
from kingpost.server.engine import Engine, Service
from kingpost.server.listen import Address, Listener, ListenError, open_listeners
from kingpost.server.options import Options
from kingpost.server.protocol import TransportShell

VARIABLE: Final = "KINGPOST_OPS"
"""The variable that has host and port, as `127.0.0.1:9000`; port 0 takes a free one. What else is started obeys it as well."""
THREADS: Final = 2
LAST: Final = 1.0
"""Seconds in which those who have connected are answered, when a worker ends."""
LIMITS: Final = {
    "connections": 256,
    # Who looks why there is too much to do is not turned away.
    "in_flight": 1 << 30,
    "queue_delay": 1 << 30,
}


def address() -> tuple[str, int] | None:
    """Host and port for those who run the service; None where there is none.

    Raises:
        ConfigurationError: `settings.environment` where it is none.
    """
    said = os.environ.get(VARIABLE)
    if not said:
        return None
    host, _, port = said.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) < 65_536:
        raise ConfigurationError(
            f"{VARIABLE}={said!r} is no host and port",
            code="settings.environment",
            remedy=f"set {VARIABLE}=127.0.0.1:9000, or unset it",
        )
    return host.strip("[]"), int(port)


def open_operations(service: Address) -> list[Listener]:
    """The sockets for those who run the service; none where they have no port.

    Args:
        service: Where the public is served.

    Raises:
        ConfigurationError: `settings.environment`.
        ListenError: the port cannot be had, or is the public's.
    """
    where = address()
    if where is None:
        return []
    host, port = where
    is_tcp = service.uds is None and service.fd is None and not service.inherited
    if port and port == service.port and is_tcp:
        raise ListenError(
            f"port {port} is the one that the public is served on: choose another --ops-port, which the public cannot reach"
        )
    try:
        return open_listeners(Address(hosts=(host,), port=port))
    except ListenError as error:
        reason = str(error).replace("--port", "--ops-port")
        raise ListenError(f"operations cannot be served: {reason}") from None


def told_operations(listeners: Sequence[Listener]) -> str:
    """What the line that says where a service is ready says of them; empty where there are none."""
    urls = " and ".join(listener.url for listener in listeners)
    return f", for operations on {urls}" if urls else ""


def is_operations(listener: Listener) -> bool:
    """Whether an inherited socket is one of those; the public's port is another."""
    where = address()
    name: Any = listener.socket.getsockname()
    return where is not None and not isinstance(name, str | bytes) and name[1] == where[1]


def warn_of_host(service: Service) -> None:
    """Says that a host of others serves nothing on that port; not that the public can see it instead."""
    where = address()
    if where is not None and getattr(service, "operations", None) is not None:
        logs.logger().warning(
            "health and metrics are not served: %s names port %d for them, and only Kingpost's own server listens there. "
            "Unset it, and they are served with everything else, to whoever can reach that",
            VARIABLE,
            where[1],
        )


@asynccontextmanager
async def operated(
    service: Service,
    listeners: Sequence[Listener],
    options: Options,
    loop: asyncio.AbstractEventLoop,
    *,
    native: bool,
) -> AsyncGenerator[None]:
    """Serves what is for those who run a service on these sockets, which stay the caller's; nothing where there are none.

    Raises:
        ListenError: there is nothing to serve.
    """
    if not listeners:
        yield
        return
    operations: Any = getattr(service, "operations", None)
    if operations is None:
        raise ListenError(
            f"there is nothing to serve on {listeners[0].url}: the application has neither Health() nor Metrics(). "
            "Write app = App(plugins=[Health(), Metrics()]), and where the application is not an App mount it in that one, "
            'app.mount("/", application); or leave --ops-port out'
        )
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
            for each in listeners:
                engine.server.listen(each.socket.fileno())
        else:
            await shell.listen(each.socket for each in listeners)
        yield
    finally:
        # Who has connected here is answered: the next goes to another worker, where there is one.
        if shell is not None:
            shell.unlisten()
        await engine.drain(LAST)
        if shell is None:
            # Before the descriptor is closed, as for the service itself.
            loop.remove_reader(engine.server.fileno())
        engine.close()
        if shell is not None:
            await shell.close()
