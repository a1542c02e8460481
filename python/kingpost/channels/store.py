"""`ChannelStore`: what carries messages from one process to the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

Deliver: TypeAlias = Callable[[str, bytes], None]
"""Called on the event loop with a channel and a message."""


class ChannelStore(Protocol):
    """Carries messages between the processes of one service; `Channels` does the rest.

    Messages are bytes that the store need not understand. Each is delivered at most once in each process that has subscribed, the
    publisher's own among them, and those of one publisher in the order in which it has published them. What was published before a process
    has subscribed it gets only where that was still on its way. `kingpost.testing.ChannelStoreConformance` has the tests that every store passes.
    """

    async def start(self, deliver: Deliver) -> None:
        """The worker starts.

        Args:
            deliver: to be called on this event loop with every message of a channel that this process has subscribed.

        Raises:
            Exception: the store cannot be reached; the worker does not start then.
        """
        ...

    async def stop(self) -> None:
        """The worker stops: nothing is delivered any more. Harmless the second time."""
        ...

    async def publish(self, channel: str, message: bytes) -> None:
        """Send a message to all who have subscribed, in this process as well.

        Raises:
            Exception: it was not sent.
        """
        ...

    async def subscribe(self, channel: str) -> None:
        """When this returns, messages of the channel that are published from now on are delivered here. Called once before `unsubscribe`."""
        ...

    async def unsubscribe(self, channel: str) -> None:
        """Messages of the channel are wanted no more."""
        ...
