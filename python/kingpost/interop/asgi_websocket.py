"""A WebSocket of an ASGI application, on the engine's own.

Rule 1: until the application accepts, it is a request: what it says instead is the answer, sent when it ends.
Rule 2: `receive` tells of the end once and again; `send` behind it raises `ClientLeft`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from kingpost import _native
from kingpost.http.request import Request
from kingpost.interop.asgi_exchange import App, ClientLeft, Message, Scope

EXTENSIONS: Final = ("websocket.http.response",)
LEFT: Final = "WebSocketDisconnect"
"""How the names of exceptions begin by which Starlette, Litestar, BlackSheep and Falcon tell an application that its client has left."""
GONE: Final = "this WebSocket is closed"
LARGEST_REFUSAL: Final = 1 << 20
"""Bytes that the body of a refusal may have: it is gathered."""


class SocketExchange:
    """What one application and one client say to each other.

    Attributes:
        answer: what is sent in place of a WebSocket; None where there is nothing to send.
    """

    def __init__(self, websocket: _native.WebSocket) -> None:
        self.answer: _native.Answer | None = None
        self.is_accepted = False
        self._websocket = websocket
        self._is_told = False
        self._is_closed = False
        self._has_told_end = False
        self._decided = asyncio.Event()
        self._refusal: tuple[int, list[tuple[str, str]]] | None = None
        self._body = bytearray()

    async def receive(self) -> Message:
        """`websocket.connect`, then messages, then `websocket.disconnect`."""
        if not self._is_told:
            self._is_told = True
            return {"type": "websocket.connect"}
        await self._decided.wait()
        if not self.is_accepted:
            return {"type": "websocket.disconnect", "code": 1006, "reason": ""}
        try:
            message = await self._websocket.receive()
        except _native.WebSocketClosed as closed:
            self._has_told_end = True
            return {"type": "websocket.disconnect", "code": closed.code, "reason": closed.reason}
        if isinstance(message, str):
            return {"type": "websocket.receive", "text": message}
        return {"type": "websocket.receive", "bytes": message}

    async def send(self, message: Message) -> None:
        """Accepts, refuses, sends or closes.

        Raises:
            ClientLeft: the client has closed.
            RuntimeError: the message does not come in its turn.
            ValueError: it is none that is understood here.
        """
        kind = message["type"]
        if kind == "websocket.send" and self.is_accepted:
            await self._send(message)
        elif kind == "websocket.accept" and not self._decided.is_set():
            self._accept(message)
        elif kind == "websocket.close" and self.is_accepted and not self._is_closed:
            self._is_closed = True
            code, reason = message.get("code") or 1000, message.get("reason") or ""
            await self._websocket.close(int(code), str(reason))
        elif kind == "websocket.close" and not self._decided.is_set():
            self._decide(_native.Answer(403, [], b""))
        elif kind == "websocket.http.response.start" and not self._decided.is_set():
            fields = [decoded(pair) for pair in message.get("headers", ())]
            self._refusal = (
                int(message["status"]),
                [(name, value) for name, value in fields if name.lower() != "content-length"],
            )
        elif kind == "websocket.http.response.body" and self._refusal is not None:
            self._add(message)
        elif kind in MESSAGES:
            raise RuntimeError(f"{kind} was sent when it was not its turn")
        else:
            raise ValueError(
                f"the message {kind!r} is none that is understood here; the scope names no extension for it"
            )

    def is_expected(self, error: BaseException) -> bool:
        """Whether an error says no more than that the client has left, as frameworks put it: applications let those pass."""
        if not self.is_accepted:
            return False
        if isinstance(error, BaseExceptionGroup):
            return all(self.is_expected(each) for each in error.exceptions)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType,reportUnknownMemberType] - of whatever kind
        named = any(kind.__name__.startswith(LEFT) for kind in type(error).__mro__)
        return isinstance(error, ClientLeft) or (self._has_told_end and named)

    def check_decided(self) -> None:
        """The application has ended.

        Raises:
            RuntimeError: it has neither accepted nor refused.
        """
        if not self._decided.is_set():
            raise RuntimeError("the ASGI application has neither accepted nor refused a WebSocket")

    def _decide(self, answer: _native.Answer | None) -> None:
        self.answer = answer
        self._decided.set()

    def _accept(self, message: Message) -> None:
        headers = [decoded(pair) for pair in message.get("headers") or ()]
        self._websocket.accept(message.get("subprotocol"), headers)
        self.is_accepted = True
        self._decide(None)

    async def _send(self, message: Message) -> None:
        if self._is_closed:
            raise RuntimeError("websocket.send was sent behind websocket.close")
        text, data = message.get("text"), message.get("bytes")
        try:
            if text is not None:
                await self._websocket.send(text)
            elif data is not None:
                await self._websocket.send(bytes(data))
            else:
                raise ValueError('websocket.send has neither "text" nor "bytes"')
        except _native.WebSocketClosed:
            raise ClientLeft(GONE) from None

    def _add(self, message: Message) -> None:
        assert self._refusal is not None  # noqa: S101 - for the type checkers: the caller has looked
        self._body += message.get("body", b"")
        if len(self._body) > LARGEST_REFUSAL:
            raise ValueError(f"the body of a refusal is larger than {LARGEST_REFUSAL} bytes")
        if not message.get("more_body", False):
            status, headers = self._refusal
            self._refusal = None
            self._decide(_native.Answer(status, headers, bytes(self._body)))


MESSAGES: Final = frozenset(
    f"websocket.{kind}"
    for kind in ("accept", "send", "close", "http.response.start", "http.response.body")
)


def decoded(pair: tuple[bytes, bytes]) -> tuple[str, str]:
    """A header field as the engine takes it."""
    name, value = pair
    return bytes(name).decode("latin-1"), bytes(value).decode("latin-1")


def socket_runner(app: App) -> Any:
    """What the engine calls for a request that asks for a WebSocket."""

    async def run(
        scope: Scope, websocket: _native.WebSocket, request: Request
    ) -> _native.Answer | None:
        scope["type"] = "websocket"
        scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
        scope["subprotocols"] = websocket.subprotocols
        scope["extensions"] = {name: {} for name in EXTENSIONS}
        del scope["method"]
        exchange = SocketExchange(websocket)
        try:
            await app(scope, exchange.receive, exchange.send)
            exchange.check_decided()
        except Exception as error:  # noqa: BLE001 - whatever a guest raises is its own, and told
            if not exchange.is_expected(error):
                request.dispatch.guest_failed(request, error)
            if not exchange.is_accepted:
                return exchange.answer or _native.Answer(500, [TEXT], b"Internal Server Error")
            if websocket.closed is None:
                await websocket.close(1011)
        return exchange.answer

    return run


TEXT: Final = ("content-type", "text/plain; charset=utf-8")
