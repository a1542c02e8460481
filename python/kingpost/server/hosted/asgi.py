"""An application as ASGI 3 wants it: for uvicorn, hypercorn, granian and whatever else speaks it."""

from __future__ import annotations

import asyncio
import contextvars
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from kingpost.errors import ConfigurationError
from kingpost.server.engine import Service
from kingpost.server.hosted.asgi_call import AsgiCall
from kingpost.server.hosted.asgi_socket import AsgiSocket
from kingpost.server.hosted.processes import warn_of_others
from kingpost.server.hosted.service import HostedService

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class AsgiApplication:
    """Serves on whichever event loop it is called; on each the application is compiled and started once.

    Args:
        make: Compiles the application.
        grace: Seconds that requests in flight have at a stop; as the native server's if not said.
    """

    def __init__(self, make: Callable[[], Service], *, grace: float | None = None) -> None:
        self._make = make
        self._grace = grace
        # With the loop itself: its address may be another's when it is gone.
        self._hosted: dict[int, tuple[asyncio.AbstractEventLoop, HostedService]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind in ("http", "websocket"):
            hosted = self.here()
            engine = hosted.engine or await hosted.start()
            tokens = hosted.enter()
            try:
                serving = AsgiCall if kind == "http" else AsgiSocket
                await serving(engine.server, scope, receive, send).serve()
            finally:
                for token in reversed(tokens):
                    token.var.reset(token)
        elif kind == "lifespan":
            await _live(self.here(), receive, send)
        else:
            # As the specification has it: the host learns that this is not spoken here.
            raise ValueError(f"an App serves no ASGI connections of type {kind!r}")

    def here(self) -> HostedService:
        """What serves on the running loop.

        Raises:
            RuntimeError: it is none of asyncio's.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "an App needs an asyncio event loop: on hypercorn, take --worker-class asyncio or uvloop"
            ) from None
        known = self._hosted.get(id(loop))
        if known is None or known[0] is not loop:
            # Loops of tests come and go.
            self._hosted = {
                key: value for key, value in self._hosted.items() if not value[0].is_closed()
            }
            warn_of_others()
            known = self._hosted[id(loop)] = (loop, HostedService(self._make, grace=self._grace))
        return known[1]


async def _live(hosted: HostedService, receive: Receive, send: Send) -> None:
    """The lifespan protocol: start-up when the host starts, clean-up when it stops."""
    await receive()
    try:
        await hosted.start(contextvars.copy_context())
    except Exception as error:  # noqa: BLE001 - told to the host, which ends
        await send({"type": "lifespan.startup.failed", "message": _told(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    try:
        await hosted.stop()
    except Exception as error:  # noqa: BLE001 - told to the host, which logs it
        await send({"type": "lifespan.shutdown.failed", "message": _told(error)})
        return
    await send({"type": "lifespan.shutdown.complete"})


def _told(error: Exception) -> str:
    """What the host logs: a mistake in the configuration says what to do, anything else where it was."""
    if isinstance(error, ConfigurationError):
        return str(error)
    return "".join(traceback.format_exception(error))
