"""A WebSocket of the test client: the engine of `TestSocket` and `AsyncTestSocket`, for a running loop."""

from __future__ import annotations

import json as json_module
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

from kingpost.http.websocket import WebSocketClosed
from kingpost.server import frames
from kingpost.server.reply import BadReply, ReplyHead
from kingpost.testing.request import HeaderFields, Params, RequestOptions, pairs_of
from kingpost.testing.response import TestResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kingpost.testing.core import ClientCore

__all__ = ["SocketOptions", "SocketRefused", "Talk"]


class SocketOptions(TypedDict, total=False):
    """The keyword arguments of `TestClient.websocket`.

    Attributes:
        subprotocols: What is offered, the preferred first.
        params: Query parameters, after those in the address.
        headers: Header fields on top of the client's, such as `origin`.
        cookies: Cookies for this request alone.
        raise_errors: Instead of what the client does.
        timeout: Seconds without a sign of the app before TimeoutError, > 0; None waits for ever.
    """

    subprotocols: Sequence[str]
    params: Params
    headers: HeaderFields
    cookies: Mapping[str, str]
    raise_errors: bool
    timeout: float | None


class SocketRefused(Exception):
    """The app has answered the handshake with something else than a WebSocket.

    Attributes:
        response: What it has answered.
    """

    def __init__(self, response: TestResponse) -> None:
        super().__init__(f"the WebSocket was refused: {response.status} {response.text[:200]}")
        self.response = response


class Talk:
    """One conversation.

    Attributes:
        head: Of the answer to the handshake.
        closed: Code and reason, once it is over.
    """

    def __init__(self, core: ClientCore, url: str, options: SocketOptions) -> None:
        check_options(options)
        self._core = core
        self._url = url
        self._options = options
        self._reader = frames.FrameReader()
        self._messages: deque[str | bytes] = deque()
        self._gives_json = False
        self._said_goodbye = False
        self.closed: tuple[int, str] | None = None

    async def begin(self) -> None:
        """Ask for the WebSocket.

        Raises:
            SocketRefused: there is none.
            Exception: what the handler raised, where it has and nothing answers for it.
        """
        core = self._core
        await core.host.start()
        key = frames.new_key()
        given = self._options
        fields = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", key),
            *pairs_of(given.get("headers", ())),
        ]
        if offered := given.get("subprotocols", ()):
            fields.append(("sec-websocket-protocol", ", ".join(offered)))
        options: RequestOptions = {"headers": fields, **plain_options(given)}
        request = core.make("GET", self._url, options)
        self._gives_json = core.host.gives_json(request.target.partition("?")[0].encode())
        self._asked: RequestOptions = options
        self._exchange = core.conversation(request, options)
        try:
            self._exchange.send(request.head, request)
            self.head: ReplyHead = await self._exchange.head()
            core.keep_cookies(self.head, request)
            if self.head.status != 101:
                await self._refused(request.target)
            check_accept(self.head, key)
        except BaseException:
            await self._exchange.close()
            await core.host.settle()
            raise

    async def _refused(self, target: str) -> None:
        pieces: list[bytes] = []
        while piece := await self._exchange.read():
            pieces.append(piece)
        await self._core.host.settle()
        self._core.raise_error(self.head, self._asked)
        raise SocketRefused(TestResponse(self.head, b"".join(pieces), target, self._core.jar))

    @property
    def subprotocol(self) -> str | None:
        """The one that the app has chosen."""
        return self.head.get("sec-websocket-protocol")

    async def send(self, message: object) -> None:
        """Send a text, bytes, or anything else as JSON."""
        if isinstance(message, str):
            await self._send(frames.TEXT, message.encode())
        elif isinstance(message, bytes | bytearray | memoryview):
            await self._send(frames.BINARY, bytes(message))  # pyright: ignore[reportUnknownArgumentType] - any format
        else:
            await self.send_json(message)

    async def send_json(self, value: object) -> None:
        """Send the JSON of a value as a text."""
        await self._send(frames.TEXT, msgspec.json.encode(value))

    async def receive(self) -> Any:
        """The next message: bytes, text, or what its JSON says where the route is declared to send JSON."""
        message = await self._receive()
        if self._gives_json and isinstance(message, str):
            return json_module.loads(message)
        return message

    async def receive_json(self) -> Any:
        """What the JSON of the next message says."""
        return json_module.loads(await self._receive())

    async def ping(self, data: bytes = b"") -> None:
        """Send a ping."""
        await self._send(frames.PING, data)

    async def close(self, code: int, reason: str) -> None:
        """Say good-bye, and wait for the app's."""
        if self.closed is None and not self._said_goodbye:
            self._said_goodbye = True
            await self._exchange.feed(
                frames.frame(frames.CLOSE, frames.close_payload(code, reason))
            )
        while self.closed is None:
            await self._more()

    async def end(self, *, quietly: bool) -> None:
        """The end of the test's block.

        Raises:
            Exception: what the handler raised, unless `quietly`.
        """
        try:
            if not quietly:
                await self.close(1000, "")
        finally:
            await self._exchange.close()
            await self._core.host.settle()
        if quietly:
            self._core.host.forget_errors()
        else:
            self._raise_error()

    def _raise_error(self) -> None:
        self._core.raise_error(self.head, self._asked)

    async def _send(self, opcode: int, payload: bytes) -> None:
        if self.closed is not None:
            raise WebSocketClosed(*self.closed)
        await self._exchange.feed(frames.frame(opcode, payload))

    async def _receive(self) -> str | bytes:
        while not self._messages:
            if self.closed is not None:
                await self._core.host.settle()
                self._raise_error()
                raise WebSocketClosed(*self.closed)
            await self._more()
        return self._messages.popleft()

    async def _more(self) -> None:
        data = await self._exchange.read()
        if not data:
            self.closed = self.closed or (1006, "")
            return
        for each in self._reader.whole(data):
            await self._take(each)

    async def _take(self, each: frames.Frame) -> None:
        if each.opcode == frames.PING:
            await self._exchange.feed(frames.frame(frames.PONG, each.payload))
        elif each.opcode == frames.CLOSE:
            self.closed = frames.farewell_of(each.payload)
            if not self._said_goodbye:
                self._said_goodbye = True
                await self._exchange.feed(frames.frame(frames.CLOSE, each.payload))
        elif each.opcode != frames.PONG:
            is_text = each.opcode == frames.TEXT
            self._messages.append(each.payload.decode() if is_text else each.payload)


def check_accept(head: ReplyHead, key: str) -> None:
    """Refuses an answer to another handshake (RFC 6455 section 4.1).

    Raises:
        BadReply: it is one.
    """
    if head.get("sec-websocket-accept") != frames.accept_of(key):
        raise BadReply("sec-websocket-accept does not answer our key")


def check_options(options: SocketOptions) -> None:
    """Refuses keyword arguments that do not exist.

    Raises:
        TypeError: one does not.
    """
    for name in options:
        if name not in SocketOptions.__optional_keys__:
            known = ", ".join(sorted(SocketOptions.__optional_keys__))
            raise TypeError(f"{name}= is not an argument of a test WebSocket; there are {known}")


def plain_options(given: SocketOptions) -> RequestOptions:
    options: RequestOptions = {}
    if "params" in given:
        options["params"] = given["params"]
    if "cookies" in given:
        options["cookies"] = given["cookies"]
    if "timeout" in given:
        options["timeout"] = given["timeout"]
    if "raise_errors" in given:
        options["raise_errors"] = given["raise_errors"]
    return options
