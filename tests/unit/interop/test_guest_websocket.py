"""WebSockets of ASGI applications that are served as they are."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket as StarletteWebSocket
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from kingpost.interop.guest import Guest, GuestService
from tests.security.rig import Rig, serving
from tests.unit.interop.test_guest_asgi import hosting
from tests.waiting import until

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def open_socket(rig: Rig, target: str = "/", **options: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{rig.port}{target}", open_timeout=60, **options)


def test_messages_go_both_ways_and_the_scope_says_what_was_asked() -> None:
    scopes: list[Any] = []
    told: list[Message] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        told.append(await receive())
        headers = [(b"x-room", b"7")]
        await send({"type": "websocket.accept", "subprotocol": "chat", "headers": headers})
        while (message := await receive())["type"] == "websocket.receive":
            answer = {key: value * 2 for key, value in message.items() if key != "type"}
            await send({"type": "websocket.send", **answer})
        told.append(message)

    with hosting(app, prefix="/live", sockets=True) as rig:
        with open_socket(rig, "/live/room?a=b", subprotocols=["other", "chat"]) as client:
            assert client.subprotocol == "chat"
            assert client.response is not None
            assert client.response.headers["x-room"] == "7"
            client.send("text")
            assert client.recv() == "texttext"
            client.send(b"\x00")
            assert client.recv() == b"\x00\x00"
            client.close(4001, "enough")
        until(lambda: len(told) == 2)
    assert told == [
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 4001, "reason": "enough"},
    ]
    (scope,) = scopes
    assert scope["type"] == "websocket"
    assert scope["scheme"] == "ws"
    assert scope["path"] == "/live/room"
    assert scope["root_path"] == "/live"
    assert scope["query_string"] == b"a=b"
    assert scope["subprotocols"] == ["other", "chat"]
    assert scope["extensions"] == {"websocket.http.response": {}}
    assert "method" not in scope


def test_the_application_closes_with_its_code_or_by_ending() -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        if scope["path"] == "/code":
            await send({"type": "websocket.close", "code": 4002, "reason": "done"})

    with hosting(app, sockets=True) as rig:
        with open_socket(rig, "/code") as client:
            with pytest.raises(ConnectionClosedError) as closed:
                client.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4002, "done")
        with open_socket(rig, "/end") as client, pytest.raises(ConnectionClosedOK):
            client.recv()


def test_a_refusal_is_403_or_the_answer_that_is_given() -> None:
    after: list[Message] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        if scope["path"] == "/own":
            await send(
                {
                    "type": "websocket.http.response.start",
                    "status": 401,
                    "headers": [(b"x-why", b"no key"), (b"content-length", b"7")],
                }
            )
            await send({"type": "websocket.http.response.body", "body": b"no ", "more_body": True})
            await send({"type": "websocket.http.response.body", "body": b"keys"})
        else:
            await send({"type": "websocket.close"})
        after.append(await receive())

    with hosting(app, sockets=True) as rig:
        with pytest.raises(InvalidStatus) as refused, open_socket(rig):
            pass
        assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as refused, open_socket(rig, "/own"):
            pass
        answer = refused.value.response
        assert (answer.status_code, answer.body) == (401, b"no keys")
        assert answer.headers["x-why"] == "no key"
    assert [message["type"] for message in after] == ["websocket.disconnect"] * 2


@pytest.mark.parametrize("message", [None, {"type": "websocket.send", "text": "x"}, {"type": "a"}])
def test_what_breaks_the_interface_before_it_is_accepted_is_500_and_told(
    message: Message | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        if message is not None:
            await send(message)

    with (
        hosting(app, sockets=True) as rig,
        pytest.raises(InvalidStatus) as refused,
        open_socket(rig),
    ):
        pass
    assert refused.value.response.status_code == 500
    assert "failed in the application" in caplog.text


def test_what_is_raised_behind_it_closes_with_1011_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise LookupError("theirs")

    with hosting(app, sockets=True) as rig, open_socket(rig) as client:
        with pytest.raises(ConnectionClosedError) as closed:
            client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1011
        until(lambda: "theirs" in caplog.text)


def test_who_sends_to_a_client_that_has_left_is_told() -> None:
    raised: list[BaseException] = []

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await receive()
        while (await receive())["type"] != "websocket.disconnect":
            pass
        try:
            await send({"type": "websocket.send", "text": "too late"})
        except OSError as error:
            raised.append(error)
            raise

    with hosting(app, sockets=True) as rig:
        with open_socket(rig):
            pass
        until(lambda: raised)
        rig.until_idle()


def test_a_client_that_leaves_is_no_error_of_an_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended: list[str] = []

    async def listen(websocket: StarletteWebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.receive_text()
        except BaseException as error:
            ended.append(type(error).__name__)
            raise

    async def fail(websocket: StarletteWebSocket) -> None:
        await websocket.accept()
        await websocket.receive()
        raise LookupError("theirs")

    app = Starlette(routes=[WebSocketRoute("/listen", listen), WebSocketRoute("/fail", fail)])
    with serving(GuestService(Guest(app, "asgi"), mode="production")) as rig:
        for path in ("listen", "fail"):
            with connect(f"ws://127.0.0.1:{rig.port}/{path}", proxy=None):
                pass
        until(lambda: ended == ["WebSocketDisconnect"] and "theirs" in caplog.text)
    failed = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert failed == ["GET '/fail' failed in the application"]
