"""`Channels`: the plugin, and what handlers name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from kingpost import limits
from kingpost.channels.hub import Hub
from kingpost.channels.memory import MemoryStore
from kingpost.channels.message import Read, packed, reader_of
from kingpost.channels.store import ChannelStore
from kingpost.channels.subscription import ChannelError, Subscription
from kingpost.http.counting import keep_here
from kingpost.http.websocket import WebSocket
from kingpost.schema.annotation import spelled

if TYPE_CHECKING:
    from kingpost.app.application import App

T = TypeVar("T")


class Channels:
    """Messages by name, to all who listen, in every worker: WebSockets that have joined, and programs that have subscribed.

    A message reaches each of them at most once, in the order of its publisher; who comes later does not get it. Texts and bytes are sent as they
    are, anything else as JSON. A handler names the class, `channels: Channels`, and `app.install(Channels())` gives it the object; a `def` calls
    `from_thread(channels.publish, name, message)`.

    Args:
        store: what carries messages to other processes; if not said, those of this service on this host, without a broker.
        queue: messages that wait for one subscriber, >= 1; of more the oldest are dropped, and counted.

    Example:
        ```python
        from kingpost import App
        from kingpost.channels import Channels

        app = App(plugins=[Channels()])

        @app.post("/news")
        async def publish(text: str, channels: Channels) -> None:
            await channels.publish("news", text)
        ```
    """

    name: str = "channels"
    requires: Sequence[str] = ()

    def __init__(
        self, store: ChannelStore | None = None, *, queue: int = limits.CHANNEL_QUEUE
    ) -> None:
        if queue < 1:
            raise ChannelError(
                f"queue={queue!r}: a subscriber has room for one message at least",
                code="channels.bad-queue",
                remedy=f"write queue={limits.CHANNEL_QUEUE}",
            )
        self._store = store
        self._queue = queue
        # Tests may serve one App several times at once, each on a loop of its own.
        self._hubs: dict[asyncio.AbstractEventLoop, Hub] = {}
        self._readers: dict[Any, Read] = {}

    def install(self, app: App, /) -> None:
        """What `app.install` calls."""
        if self._store is None:
            keep_here("Channels")

        @app.provide(scope="app", inline=True)
        def channels() -> Channels:
            return self

        @app.lifespan
        async def channels_run() -> AsyncGenerator[None]:
            store = MemoryStore() if self._store is None else self._store
            hub, loop = Hub(store), asyncio.get_running_loop()
            await store.start(hub.deliver)
            self._hubs[loop] = hub
            try:
                yield
            finally:
                del self._hubs[loop]
                await store.stop()

        @app.extensions.metric("kingpost_channels_missed_total", kind="counter")
        def channels_missed() -> int:
            """Messages that subscribers of channels were too slow for."""
            return sum(hub.missed for hub in self._hubs.values())

        @app.extensions.metric("kingpost_channels_closed_total", kind="counter")
        def channels_closed() -> int:
            """WebSockets that were closed because their clients were too slow for a channel."""
            return sum(hub.closed for hub in self._hubs.values())

    async def publish(self, channel: str, message: object, /) -> None:
        """Send a message to all who listen to a channel now; waits for none of them.

        Args:
            channel: any name, 1 to 255 bytes.
            message: text and bytes go as they are, anything else as JSON, without private fields; at most 1 MiB.

        Raises:
            TypeError: JSON has no form for the message.
            ValueError: it is too large.
            ChannelError: `channels.bad-name`, or `channels.not-running` before the App's start and behind its stop.
        """
        await self._running(channel).publish(channel, packed(message))

    def join(
        self, channel: str, websocket: WebSocket[Any, Any], /
    ) -> AbstractAsyncContextManager[None]:
        """Within `async with` the WebSocket's client is sent every message of the channel. It answers the handshake, as the first send does.

        A client for which more than 1 MiB waits is too slow: its WebSocket is closed with 1013.

        Raises:
            ChannelError: as `publish`.
        """
        return self._running(channel).join(channel, websocket)

    def subscribe(
        self, channel: str, kind: type[T], /
    ) -> AbstractAsyncContextManager[Subscription[T]]:
        """Within `async with` there is an iterator over the messages of the channel.

        Args:
            channel: as it is published.
            kind: what the messages are: str, bytes, or what JSON becomes.

        Raises:
            ChannelError: as `publish`, and `channels.bad-type` where no message becomes that.
        """
        hub = self._running(channel)
        return self._subscribed(hub, Subscription(channel, kind, self._reader(kind), self._queue))

    @contextlib.asynccontextmanager
    async def _subscribed(
        self, hub: Hub, subscription: Subscription[T]
    ) -> AsyncGenerator[Subscription[T]]:
        async with hub.subscribe(subscription.channel, subscription):
            yield subscription

    def _reader(self, kind: Any) -> Read:
        known = self._readers.get(kind)
        if known is None:
            try:
                known = self._readers[kind] = reader_of(kind)
            except TypeError as error:
                raise ChannelError(
                    f"no message becomes {spelled(kind)}: {error}",
                    code="channels.bad-type",
                    remedy="write str, bytes, or what JSON becomes: a Struct, a dataclass, a dict, a list",
                ) from error
        return known

    def _running(self, channel: str) -> Hub:
        if not channel or len(channel.encode()) > limits.CHANNEL_NAME_BYTES:
            raise ChannelError(
                f"the channel's name has {len(channel.encode())} bytes",
                code="channels.bad-name",
                remedy=f"give it 1 to {limits.CHANNEL_NAME_BYTES}",
            )
        hub = self._hubs.get(asyncio.get_running_loop())
        if hub is None:
            raise ChannelError(
                "channels carry messages while the App serves, and it does not",
                code="channels.not-running",
                remedy="install them: app.install(Channels()), and use them in handlers, tasks and receivers",
            )
        return hub
