"""What carries the messages of a WebSocket, whoever the server is: the engine's own has these members, and a host brings its own."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kingpost._native import Frame


class Socket(Protocol):
    """What carries the messages: the engine's own WebSocket, or that of a foreign server."""

    @property
    def subprotocols(self) -> list[str]:
        """What the client offers, in its order."""
        ...

    @property
    def buffered(self) -> int:
        """Bytes that wait to be sent."""
        ...

    @property
    def closed(self) -> tuple[int, str] | None:
        """Code and reason, where the conversation is over."""
        ...

    def accept(
        self, subprotocol: str | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Answer the handshake."""
        ...

    def receive(self) -> Awaitable[str | bytes]:
        """The next message.

        Raises:
            WebSocketClosed: there is none any more; every time.
        """
        ...

    def send(self, message: str | bytes, /) -> Awaitable[None]:
        """Send a message; done at once while there is room, later where the client is slow.

        Raises:
            WebSocketClosed: nobody is there any more.
        """
        ...

    def send_now(self, message: str | bytes | Frame, /) -> bool:
        """Send without waiting; False, and nothing is sent, where more than `websocket_queue` bytes would wait, or nobody is there any more."""
        ...

    def ping(self, data: bytes = b"") -> None:
        """Ask whether the client is there."""
        ...

    def close(self, code: int = 1000, reason: str = "") -> Awaitable[None]:
        """Say good-bye; harmless where it is over."""
        ...
