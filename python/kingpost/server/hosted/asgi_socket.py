"""One WebSocket of an ASGI host: a handshake that is fed to the engine, and frames for messages, both ways.

Rule 1: the engine's own WebSocket is the only one. What the host gives is written as a client's frames, and what the engine sends is
read as one's; limits, queues and codes to close with are those of the native server.
Rule 2: until it is accepted it is a request like all others, and so is its refusal.
Rule 3: pings are between the host and its client. Those of the engine are answered here.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

from kingpost import _native
from kingpost.server import frames
from kingpost.server.hosted.asgi_call import (
    AsgiCall,
    Message,
    Receive,
    Scope,
    Send,
    end_task,
    fields_of,
    head_of,
)
from kingpost.server.reply import ReplyHead, ReplyReader

DENIAL: Final = "websocket.http.response"
"""The extension with which an answer in place of a WebSocket is sent whole; without it every refusal is a 403 of the host's."""
NO_CODE, BROKEN_OFF = 1005, 1006
"""What is said of a client that gave no code, and of one that is gone without a word (RFC 6455 section 7.4.1)."""
# Of the handshake, which is ours here, and the host's there.
_OF_HANDSHAKE: Final = b"sec-websocket-"
_UPGRADE: Final = (b"connection: upgrade", b"upgrade: websocket")


class AsgiSocket(AsgiCall):
    """One WebSocket, from the handshake to its end."""

    answers: ClassVar = DENIAL

    def __init__(self, server: _native.Server, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(server, _asking(scope), receive, send)
        self._reply = ReplyReader("GET", talks=True)
        self._frames = frames.FrameReader()
        self._is_accepted = False
        self._can_refuse = DENIAL in (scope.get("extensions") or {})

    def on_wait(self) -> None:
        """What was said before goes out now, ahead of whatever the client says to it."""
        self._is_away = True
        self._look()
        super().on_wait()

    async def _begin(self) -> bool:
        if (await self._receive())["type"] != "websocket.connect":
            return False
        head = head_of(self._scope, self.root_path, also=_UPGRADE)
        self._server.feed_at_once(self._connection, head.data)
        return True

    async def _answer(self, head: ReplyHead) -> None:
        if head.status == 101:
            self._is_accepted = True
            fields = fields_of(head)
            message: dict[str, Any] = {
                "type": "websocket.accept",
                "subprotocol": head.get("sec-websocket-protocol"),
                "headers": [
                    (name, value)
                    for name, value in fields
                    if name != b"upgrade" and not name.startswith(_OF_HANDSHAKE)
                ],
            }
            await self._send(message)
        elif self._can_refuse:
            await super()._answer(head)
        else:
            await self._send({"type": "websocket.close", "code": 1000, "reason": ""})

    async def _answer_on(self, body: bytes) -> None:
        if self._is_accepted:
            for each in self._frames.whole(body):
                await self._pass_on(each)
        elif self._can_refuse:
            await super()._answer_on(body)

    async def _pass_on(self, frame: frames.Frame) -> None:
        """Has the host send what the engine sends."""
        opcode, payload = frame.opcode, frame.payload
        if opcode == frames.PING:
            self._feed(frames.PONG, payload)
        elif self._is_left:
            # There is nobody to be told: the engine ends what the client has ended.
            return
        elif opcode == frames.TEXT:
            await self._send({"type": "websocket.send", "text": payload.decode()})
        elif opcode == frames.BINARY:
            await self._send({"type": "websocket.send", "bytes": payload})
        elif opcode == frames.CLOSE:
            code, reason = frames.farewell_of(payload)
            if self._reader is not None:
                # granian closes when nobody receives any more.
                await end_task(self._reader)
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
            self._feed(frames.CLOSE, payload)
            self._leave()

    async def _read_once(self) -> bool:
        # Asked before there is room, so that a client that leaves is heard of also while too much waits for it.
        message = await self._receive()
        if message["type"] != "websocket.receive":
            await self._part(message)
            return False
        while not self._server.wants_read(self._connection):
            if self._server.fate(self._connection) != "open":
                return False
            self._room.clear()
            await self._room.wait()
        self._feed(*_message_of(message))
        return True

    async def _part(self, message: Message) -> None:
        """The client has left: the engine hears with which words, and its handler reads what came before."""
        code = message.get("code") or NO_CODE
        if self._is_accepted and not self._is_left and code != BROKEN_OFF:
            self._is_left = True
            words = message.get("reason") or ""
            said = b"" if code == NO_CODE else frames.close_payload(code, words)
            self._feed(frames.CLOSE, said)
            while self._server.fate(self._connection) == "open":
                self._room.clear()
                if self._server.output(self._connection):
                    # It is thrown away, and the engine goes on to read.
                    asyncio.get_running_loop().call_soon(self._server.turn)
                    await asyncio.sleep(0)
                else:
                    await self._room.wait()
        self._leave()

    def _feed(self, opcode: int, payload: bytes) -> None:
        self._server.feed_at_once(self._connection, frames.fed_frame(opcode, payload))


def _asking(scope: Scope) -> Scope:
    """The scope of the request that asks for a WebSocket: on HTTP/1.1, without compression, which is the host's."""
    fields: list[tuple[bytes, bytes]] = [
        (name, value)
        for name, value in scope["headers"]
        if not name.lower().startswith(_OF_HANDSHAKE)
    ]
    fields += [(b"sec-websocket-version", b"13"), (b"sec-websocket-key", frames.new_key().encode())]
    if offered := scope.get("subprotocols"):
        fields.append((b"sec-websocket-protocol", ", ".join(offered).encode()))
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    return {**scope, "method": "GET", "scheme": scheme, "headers": fields}


def _message_of(message: Message) -> tuple[int, bytes]:
    text = message.get("text")
    if text is not None:
        # What is no Unicode is the engine's to refuse.
        return frames.TEXT, text.encode("utf-8", "surrogatepass")
    return frames.BINARY, bytes(message.get("bytes") or b"")
