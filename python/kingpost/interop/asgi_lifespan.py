"""The lifespan of an ASGI application that is a guest: one run of it, from start-up to clean-up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Any, Final

from kingpost.interop.asgi_exchange import App, Message

# Seconds that an application has to end after it was cancelled.
_CANCEL_GRACE: Final = 1.0
VERSIONS: Final = {"version": "3.0", "spec_version": "2.0"}


class StartFailed(RuntimeError):
    """A guest has said that it cannot start."""


class Lifespan:
    """What is said between a server and one application.

    Attributes:
        state: what the application keeps for its requests; each is given a copy.
    """

    def __init__(self, app: App, name: str, state: dict[str, Any]) -> None:
        self.state = state
        self._app = app
        self._name = name
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._has_asked = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Start-up on entering, clean-up on leaving. Nothing for an application that knows no lifespans.

        Raises:
            StartFailed: the application has sent `lifespan.startup.failed`.
        """
        self.state.clear()
        scope = {"type": "lifespan", "asgi": VERSIONS, "state": self.state}
        task = asyncio.ensure_future(self._app(scope, self._receive, self._send))
        try:
            started = await self._ask("lifespan.startup", task)
            if started == "failed":
                raise StartFailed(f"{self._name} has failed to start, as its own log says")
            yield
            if started == "complete":
                await self._stop(task)
        finally:
            if not task.done():
                task.cancel()
            await asyncio.wait((task,), timeout=_CANCEL_GRACE)
            if not task.done():
                logging.getLogger("kingpost.guest").error(
                    "%s does not end, though it was cancelled: its lifespan is left to itself",
                    self._name,
                )
            elif not task.cancelled():
                # Told of where it was asked for; what it raises behind its last word is nothing to anybody.
                task.exception()

    async def _stop(self, task: asyncio.Future[None]) -> None:
        if await self._ask("lifespan.shutdown", task) == "failed":
            logging.getLogger("kingpost.guest").error(
                "%s has failed to stop, as its own log says", self._name
            )

    async def _ask(self, kind: str, task: asyncio.Future[None]) -> str | None:
        """How it has ended, "complete" or "failed"; None where the application has ended without a word."""
        self._told.put_nowait({"type": kind})
        answer = asyncio.ensure_future(self._said.get())
        await asyncio.wait((answer, task), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            # It may have said its last word and ended in one step.
            await asyncio.sleep(0)
        if not answer.done():
            answer.cancel()
            self._tell_of_end(kind, task)
            return None
        message = answer.result()
        said = str(message["type"])
        if said == f"{kind}.failed" and message.get("message"):
            logging.getLogger("kingpost.guest").error("%s: %s", self._name, message["message"])
        return said.rpartition(".")[2]

    def _tell_of_end(self, kind: str, task: asyncio.Future[None]) -> None:
        """Quoted: "If an exception is raised … the server must continue but not send any lifespan events" (ASGI, Lifespan)."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        logger = logging.getLogger("kingpost.guest")
        if self._has_asked:
            logger.warning(
                "%s has raised on %s, and is served without lifespan",
                self._name,
                kind,
                exc_info=error,
            )
        else:
            logger.debug("%s knows no lifespans: %r", self._name, error)

    async def _receive(self) -> Message:
        self._has_asked = True
        return await self._told.get()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind not in _SAID:
            raise ValueError(f"the message {kind!r} is none of a lifespan")
        self._said.put_nowait(message)


_SAID = frozenset(
    f"lifespan.{when}.{how}" for when in ("startup", "shutdown") for how in ("complete", "failed")
)
