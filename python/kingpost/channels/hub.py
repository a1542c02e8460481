"""Who listens to which channel in this process.

Rule 1: nobody who listens is waited for. A subscriber that reads too slowly misses the oldest messages, and is told how many; a WebSocket
whose client takes too slowly is closed with 1013, and may come again.
Rule 2: a channel that nobody listens to is not subscribed in the store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

from kingpost._native import Frame
from kingpost._native import WebSocket as Socket
from kingpost.channels.message import as_sent
from kingpost.channels.store import ChannelStore
from kingpost.channels.subscription import Subscription
from kingpost.http.websocket import WebSocket, WebSocketClosed

TRY_AGAIN_LATER = 1013
"""The code for clients that are too slow (IANA's registry of close codes)."""


class Room:
    """Those who listen to one channel.

    Attributes:
        sockets: WebSockets, by how often they have joined, and what sends to each without waiting.
        subscriptions: programs.
        uses: how many are in it, or on their way in.
        is_open: whether the store delivers.
        lock: held while the store is asked.
    """

    def __init__(self) -> None:
        self.sockets: dict[Socket, tuple[int, Callable[[Frame], bool]]] = {}
        self.subscriptions: set[Subscription[Any]] = set()
        self.uses = 0
        self.is_open = False
        self.lock = asyncio.Lock()

    @property
    def is_empty(self) -> bool:
        return not self.uses


class Hub:
    """The rooms of this process.

    Attributes:
        missed: messages that subscribers were too slow for.
        closed: WebSockets that were closed because their clients were too slow.
    """

    def __init__(self, store: ChannelStore) -> None:
        self._store = store
        self._rooms: dict[str, Room] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.missed = 0
        self.closed = 0

    async def publish(self, channel: str, message: bytes) -> None:
        """Send a message to all, in this process and in others."""
        await self._store.publish(channel, message)

    def deliver(self, channel: str, message: bytes) -> None:
        """A message of a channel has come."""
        room = self._rooms.get(channel)
        if room is None:
            return
        for subscription in room.subscriptions:
            if not subscription.__deliver__(message):
                self.missed += 1
        if room.sockets:
            self._send(room, message)

    def _send(self, room: Room, message: bytes) -> None:
        # Encoded once for all of them.
        frame = Frame(as_sent(message))
        left = [socket for socket, (_, send_now) in room.sockets.items() if not send_now(frame)]
        for socket in left:
            if socket.closed is not None:
                # Its handler is about to leave.
                continue
            del room.sockets[socket]
            self.closed += 1
            task = asyncio.get_running_loop().create_task(
                self._close(socket), name="kingpost channels"
            )
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close(self, socket: Socket) -> None:
        with contextlib.suppress(WebSocketClosed):
            await socket.close(TRY_AGAIN_LATER, "too slow")

    @contextlib.asynccontextmanager
    async def join(self, channel: str, websocket: WebSocket[Any, Any]) -> AsyncGenerator[None]:
        """Within it the client is sent the messages of a channel; a client that knows that it was accepted is in it."""
        async with self._room(channel) as room:
            socket = websocket.__socket__()
            times, send_now = room.sockets.get(socket, (0, socket.send_now))
            room.sockets[socket] = (times + 1, send_now)
            try:
                yield
            finally:
                # A slow one was taken out.
                times, send_now = room.sockets.get(socket, (0, send_now))
                if times > 1:
                    room.sockets[socket] = (times - 1, send_now)
                elif times:
                    del room.sockets[socket]

    @contextlib.asynccontextmanager
    async def subscribe(
        self, channel: str, subscription: Subscription[Any]
    ) -> AsyncGenerator[None]:
        """Within it the messages of a channel are collected."""
        async with self._room(channel) as room:
            room.subscriptions.add(subscription)
            try:
                yield
            finally:
                room.subscriptions.discard(subscription)

    @contextlib.asynccontextmanager
    async def _room(self, channel: str) -> AsyncGenerator[Room]:
        room = self._rooms.get(channel)
        if room is None:
            room = self._rooms[channel] = Room()
        room.uses += 1
        try:
            if not room.is_open:
                async with room.lock:
                    if not room.is_open:
                        await self._store.subscribe(channel)
                        room.is_open = True
            yield room
        finally:
            room.uses -= 1
            if not room.uses:
                await self._leave(channel, room)

    async def _leave(self, channel: str, room: Room) -> None:
        async with room.lock:
            # Somebody may have come meanwhile, and while the store is asked.
            if room.is_open and not room.uses:
                room.is_open = False
                await self._store.unsubscribe(channel)
            if room.is_empty and self._rooms.get(channel) is room:
                del self._rooms[channel]
