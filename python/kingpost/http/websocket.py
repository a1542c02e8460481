"""`WebSocket[In, Out]`: a conversation with one client, in messages of declared types.

Rule 1: the handshake is answered late. Until the first send, receive or `accept` the handler may still raise an HTTPError, and the client is
refused as any request is.
Rule 2: a message that is not what the handler's annotation says is answered with a problem (RFC 9457) as a message of its own; the handler
never sees it, and the conversation goes on.
Rule 3: what can be decided at start-up is: texts and bytes pass as they are, all else has its decoder and its encoder.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, cast

import msgspec

from kingpost import limits
from kingpost._native import Headers, WebSocketClosed
from kingpost.errors import HTTPError, UnsupportedMediaType
from kingpost.http.headers import check_field
from kingpost.http.problem import problem_json
from kingpost.http.request import Request

if TYPE_CHECKING:
    import asyncio

    from typing_extensions import TypeVar

    from kingpost._native import WebSocket as Socket

    In = TypeVar("In", default=str)
    Out = TypeVar("Out", default=str)
else:
    # Python knows defaults from 3.13 on; `WebSocket.__class_getitem__` fills them in before.
    from typing import TypeVar

    In, Out = TypeVar("In"), TypeVar("Out")

__all__ = ["Messages", "WebSocket", "WebSocketClosed"]


class Messages(msgspec.Struct, frozen=True):
    """The two types of a WebSocket, compiled when its route is.

    Attributes:
        words: what `kingpost routes explain` says of them.
        taken: str or bytes, where messages of that kind are handed over as they are; None where they are decoded.
        decode: makes a value of a message; raises HTTPError for a wrong one.
        given: str or bytes, where messages of that kind are sent as they are; None where all are encoded.
        encode: makes a message of a value.
        gives_json: whether texts that are sent are JSON documents.
    """

    words: str
    taken: type[str | bytes] | None
    decode: Callable[[str | bytes], Any]
    given: type[str | bytes] | None
    encode: Callable[[Any], str | bytes]
    gives_json: bool


class WebSocket(Generic[In, Out]):
    """A conversation with one client; a handler of `@app.websocket` names it: `ws: WebSocket`, `ws: WebSocket[Said, Heard]`.

    `In` is what the client sends, `Out` what is sent to it; both are `str` if not said. `str` is a text message and `bytes` a binary one;
    whatever else a body can be is JSON.

    Attributes:
        request: the request that asked for it: its path, its header fields, its cookies.
        subprotocol: the one that was accepted; None before, and where there is none.

    Example:
        ```python
        from kingpost import App, WebSocket

        app = App()

        @app.websocket("/echo")
        async def echo(ws: WebSocket) -> None:
            async for message in ws:
                await ws.send(message)
        ```
    """

    __slots__ = (
        "_is_accepted",
        "_messages",
        "_socket",
        "_spoken",
        "request",
        "subprotocol",
    )

    if not TYPE_CHECKING:

        def __class_getitem__(cls, kinds: Any) -> Any:
            given = kinds if isinstance(kinds, tuple) else (kinds,)
            return super().__class_getitem__((*given, str) if len(given) == 1 else given)

    def __init__(
        self,
        request: Request,
        socket: Socket,
        messages: Messages,
        spoken: Sequence[str] = (),
    ) -> None:
        self.request = request
        self.subprotocol: str | None = None
        self._socket = socket
        self._messages = messages
        self._spoken = spoken
        self._is_accepted = False

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return self.request.path

    @property
    def headers(self) -> Headers:
        """The header fields of the request that asked for the WebSocket."""
        return self.request.headers

    @property
    def subprotocols(self) -> Sequence[str]:
        """The subprotocols that the client offers, what it prefers first."""
        return self._socket.subprotocols

    @property
    def closed(self) -> tuple[int, str] | None:
        """Code and reason (RFC 6455 section 7.4), once the conversation is over; 1006 where the client vanished without a word."""
        return self._socket.closed

    @property
    def is_accepted(self) -> bool:
        """Whether the handshake was answered: from then on nothing can be refused with a status."""
        return self._is_accepted

    async def accept(
        self, *, subprotocol: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer the handshake; the first send or receive does it otherwise.

        Args:
            subprotocol: one of those that the client offers; if not said, the first of the route's `subprotocols=` that it offers.
            headers: further fields of the answer.

        Raises:
            ValueError: the client does not offer that subprotocol, or a header field cannot be.
            RuntimeError: it was answered before.
        """
        if self._is_accepted:
            raise RuntimeError(
                "this WebSocket was accepted already: the first send or receive does it, so accept() comes before"
            )
        if subprotocol is not None and subprotocol not in self.subprotocols:
            raise ValueError(
                f"the client does not offer the subprotocol {subprotocol!r}; it offers {list(self.subprotocols)!r}"
            )
        fields = [(name.lower(), value) for name, value in (headers or {}).items()]
        for name, value in fields:
            check_field(name, value)
        self._accept(subprotocol, fields)

    def _accept(
        self, subprotocol: str | None = None, fields: Sequence[tuple[str, str]] = ()
    ) -> None:
        if subprotocol is None and self._spoken:
            offered = self._socket.subprotocols
            subprotocol = next((each for each in self._spoken if each in offered), None)
        self._socket.accept(subprotocol, fields)
        self._is_accepted, self.subprotocol = True, subprotocol

    def send(self, message: Out, /) -> Coroutine[Any, Any, None]:
        """Send a message; waits while the client takes less than is sent. Await it.

        Raises:
            WebSocketClosed: the conversation is over. It may leave the handler: a client that goes is no error.
            ConfigurationError: `websocket.wrong-message` where the message is not what the annotation says.
        """
        if not self._is_accepted:
            self._accept()
        if message.__class__ is self._messages.given:
            return self._socket.send(cast("str", message))
        return self._socket.send(self._messages.encode(message))

    async def receive(self) -> In:
        """The next message.

        Raises:
            WebSocketClosed: the conversation is over, with its `code` and `reason`. It may leave the handler.
        """
        if not self._is_accepted:
            self._accept()
        while True:
            message = await self._socket.receive()
            if message.__class__ is self._messages.taken:
                return cast("In", message)
            try:
                return cast("In", self._messages.decode(message))
            except HTTPError as error:
                await self._refuse(error)

    def __aiter__(self) -> AsyncIterator[In]:
        """The messages until the conversation is over; whose end that is says `closed`."""
        taken = self._messages.taken
        if taken is None:
            return self._decoded()
        if not self._is_accepted:
            self._accept()
        # The engine's own iterator: of those who wait in it there are thousands.
        return cast("AsyncIterator[In]", self._socket.each(taken, refusal_of(taken)))

    async def _decoded(self) -> AsyncIterator[In]:
        while True:
            try:
                message = await self.receive()
            except WebSocketClosed:
                return
            yield message

    async def _refuse(self, error: HTTPError) -> None:
        await self._socket.send(problem_json(error).decode())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the conversation; harmless where it is over.

        Args:
            code: 1000 to 1003, 1007 to 1014, or 3000 to 4999 for those of your own (RFC 6455 section 7.4).
            reason: at most 123 bytes.

        Raises:
            ValueError: there is no such code, or the reason is too long.
        """
        if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
            raise ValueError(
                f"{code} is no code to close with: write 1000 to 1003, 1007 to 1014, or 3000 to 4999"
            )
        if len(reason.encode()) > 123:
            raise ValueError("the reason has more than 123 bytes (RFC 6455 section 5.5)")
        if not self._is_accepted:
            self._accept()
        await self._socket.close(code, reason)

    def __socket__(self) -> Socket:
        """What carries the messages, accepted: for what sends to many at once."""
        if not self._is_accepted:
            self._accept()
        return self._socket

    def __end__(self) -> None:
        """The handler has ended, and refused nobody."""
        if not self._is_accepted:
            self._accept()

    def __left__(
        self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]
    ) -> asyncio.TimerHandle:
        """The conversation is over, and its handler goes on: what ends it in a while, unless that is taken back."""
        seconds = limits.WEBSOCKET_AFTERLIFE_SECONDS
        return loop.call_later(seconds, task.cancel, "the client has left")

    def __repr__(self) -> str:
        return f"<WebSocket {self.path!r}>"


@functools.cache
def refusal_of(kind: type[str | bytes]) -> str:
    """What a client is told that sends another kind of message than this."""
    return problem_json(wrong_kind(kind)).decode()


def wrong_kind(kind: type[str | bytes]) -> UnsupportedMediaType:
    """The refusal of a binary message where texts are read, or the other way round."""
    if kind is str:
        return UnsupportedMediaType(
            "binary messages are not read here; send text", code="websocket.wrong-kind"
        )
    return UnsupportedMediaType(
        "text messages are not read here; send binary ones", code="websocket.wrong-kind"
    )
