"""`Subscription`: the messages of one channel, for a program."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, ClassVar, Generic, Self, TypeVar

from kingpost.channels.message import Read
from kingpost.errors import ConfigurationError
from kingpost.schema.annotation import spelled

T = TypeVar("T")


class ChannelError(ConfigurationError):
    """What was published is not what a subscriber of the channel expects, or there is no such channel."""

    default_code: ClassVar[str] = "channels"


class Subscription(Generic[T]):
    """The messages of one channel: `async for message in subscription`, which never ends by itself.

    Attributes:
        channel: its name.
        missed: messages that were dropped, the oldest first, because more than `queue` waited to be read.
    """

    def __init__(self, channel: str, kind: type[T], read: Read, queue: int) -> None:
        self.channel = channel
        self.missed = 0
        self._kind: Any = kind
        self._read = read
        self._most = queue
        self._waiting: deque[bytes] = deque()
        self._news: asyncio.Future[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """The next message.

        Raises:
            ChannelError: `channels.wrong-message`: it is of another type; the next call gives the one behind it.
        """
        while not self._waiting:
            news = self._news = asyncio.get_running_loop().create_future()
            try:
                await news
            finally:
                self._news = None
        message = self._waiting.popleft()
        try:
            value: T = self._read(message)
        except TypeError as error:
            raise ChannelError(
                f"the channel {self.channel!r} is subscribed as {spelled(self._kind)}: {error}",
                code="channels.wrong-message",
                remedy="publish and subscribe the same type",
            ) from error
        return value

    def __deliver__(self, message: bytes) -> bool:
        """A message has come; False where an older one was dropped for it."""
        self._waiting.append(message)
        news = self._news
        if news is not None and not news.done():
            news.set_result(None)
        if len(self._waiting) <= self._most:
            return True
        self._waiting.popleft()
        self.missed += 1
        return False
