"""`MemoryStore`: messages in this process, and over the workers' bus in the other ones of this host. No broker."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Protocol

from kingpost.channels.store import Deliver

KIND = "channels"
"""What the bus calls our messages."""

NAME = struct.Struct("!H")


class Bus(Protocol):
    """Carries bytes to every other worker: `kingpost.server.shared` has it."""

    def send(self, kind: str, payload: bytes) -> None:
        """Send to every other worker; never waits, and counts what is lost."""
        ...

    def listen(self, kind: str, receive: Callable[[bytes], None]) -> Callable[[], None]:
        """Call `receive` on the loop with what others send; returns what ends that."""
        ...


class MemoryStore:
    """Messages in this process, and in the other workers of the same service.

    Args:
        bus: what leads to the other workers; the service's own if not said.
    """

    def __init__(self, *, bus: Bus | None = None) -> None:
        self._given = bus
        self._bus: Bus | None = None
        self._deliver: Deliver | None = None
        self._channels: set[str] = set()
        self._undo: Callable[[], None] = lambda: None

    async def start(self, deliver: Deliver) -> None:
        """Listen to the bus."""
        bus = self._given
        if bus is None:
            # Which worker this is, is known when it runs.
            from kingpost.server.shared import here

            bus = here().bus
        self._bus, self._deliver = bus, deliver
        self._undo = bus.listen(KIND, self._receive)

    async def stop(self) -> None:
        """Listen no more."""
        undo, self._undo = self._undo, lambda: None
        undo()
        self._bus = self._deliver = None
        self._channels.clear()

    async def publish(self, channel: str, message: bytes) -> None:
        """Deliver here, and send to the others.

        Raises:
            RuntimeError: the store was not started.
        """
        if self._bus is None or self._deliver is None:
            raise RuntimeError("this MemoryStore is not started")
        name = channel.encode()
        self._bus.send(KIND, NAME.pack(len(name)) + name + message)
        if channel in self._channels:
            self._deliver(channel, message)

    async def subscribe(self, channel: str) -> None:
        """Deliver the messages of a channel from now on."""
        self._channels.add(channel)

    async def unsubscribe(self, channel: str) -> None:
        """Deliver them no more."""
        self._channels.discard(channel)

    def _receive(self, payload: bytes) -> None:
        (length,) = NAME.unpack_from(payload)
        end = NAME.size + length
        channel = payload[NAME.size : end].decode()
        if channel in self._channels and self._deliver is not None:
            self._deliver(channel, payload[end:])
