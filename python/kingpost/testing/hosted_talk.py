"""A WebSocket of the test client by way of an ASGI call: what a host does between frames and messages."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

from kingpost.server import frames
from kingpost.server.hosted.asgi import AsgiApplication
from kingpost.server.reply import ReplyHead
from kingpost.testing.hosted import AsgiExchange, scope_of
from kingpost.testing.request import WireRequest


class AsgiTalkExchange(AsgiExchange):
    """One WebSocket's call of an ASGI application; its client speaks in frames."""

    def __init__(self, application: AsgiApplication, what: str, timeout: float | None) -> None:
        super().__init__(application, what, timeout)
        self._incoming: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._frames = frames.FrameReader(masked=True)
        self._key = ""
        self._is_accepted = False

    def send(self, data: bytes, request: WireRequest | None = None) -> None:
        """Calls the application."""
        assert request is not None  # noqa: S101 - a handshake is never sent raw
        scope = scope_of(request, data)
        del scope["method"]
        given = dict(scope["headers"])
        self._key = given[b"sec-websocket-key"].decode()
        offered = given.get(b"sec-websocket-protocol", b"").decode("latin-1")
        scope |= {
            "type": "websocket",
            "scheme": "ws",
            "subprotocols": [each.strip() for each in offered.split(",") if each.strip()],
            "extensions": {"websocket.http.response": {}},
        }
        self._incoming.put_nowait({"type": "websocket.connect"})
        self._call = asyncio.get_running_loop().create_task(self._run(scope))

    async def feed(self, data: bytes) -> bool:
        """Takes a client's frames; False when the conversation is over."""
        if self._is_complete:
            return False
        for each in self._frames.whole(data):
            if each.opcode == frames.PING:
                self._events.put_nowait(frames.server_frame(frames.PONG, each.payload))
            elif each.opcode == frames.TEXT:
                self._tell("websocket.receive", text=each.payload.decode())
            elif each.opcode == frames.BINARY:
                self._tell("websocket.receive", bytes=each.payload)
            elif each.opcode == frames.CLOSE:
                code, reason = frames.farewell_of(each.payload)
                self._tell("websocket.disconnect", code=code, reason=reason)
                self._end(each.payload)
        await asyncio.sleep(0)
        return True

    async def close(self) -> None:
        """The client leaves."""
        if not self._is_complete:
            self._tell("websocket.disconnect", code=1006, reason="")
        await super().close()

    async def _receive(self) -> MutableMapping[str, Any]:
        return await self._incoming.get()

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if self._is_complete and self._is_accepted:
            raise ConnectionResetError("the client has left")
        match message["type"]:
            case "websocket.accept":
                self._is_accepted = True
                self._answer(101, message["headers"], message["subprotocol"])
            case "websocket.send":
                text = message.get("text")
                if text is None:
                    sent = frames.server_frame(frames.BINARY, message["bytes"])
                else:
                    sent = frames.server_frame(frames.TEXT, text.encode())
                self._events.put_nowait(sent)
                await self._keep_few()
            case "websocket.close" if self._is_accepted:
                self._end(frames.close_payload(message["code"], message["reason"]))
            case "websocket.http.response.start" | "websocket.http.response.body" as kind:
                await super()._send({**message, "type": kind.removeprefix("websocket.")})
            case kind:
                raise ValueError(f"{kind} is not expected here")

    def _tell(self, kind: str, **what: object) -> None:
        self._incoming.put_nowait({"type": kind, **what})

    def _answer(
        self, status: int, headers: list[tuple[bytes, bytes]], subprotocol: str | None
    ) -> None:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        fields.append(("sec-websocket-accept", frames.accept_of(self._key)))
        if subprotocol is not None:
            fields.append(("sec-websocket-protocol", subprotocol))
        self._events.put_nowait(ReplyHead(status, HTTPStatus(status).phrase, fields))

    def _end(self, words: bytes) -> None:
        self._is_complete = True
        self._events.put_nowait(frames.server_frame(frames.CLOSE, words))
        self._events.put_nowait(b"")
