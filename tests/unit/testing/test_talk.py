"""WebSockets of the test clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kingpost import App, Response, Struct, WebSocket
from kingpost.http.websocket import WebSocketClosed
from kingpost.routing import HasQuery
from kingpost.testing import AsyncTestClient, SocketRefused, TestClient


class Said(Struct):
    text: str


def app() -> App:
    app = App()

    @app.websocket("/echo")
    async def echo(ws: WebSocket) -> None:
        async for message in ws:
            await ws.send(message)

    @app.websocket("/said", when=HasQuery("x"))
    async def said(ws: WebSocket[Said, Said]) -> None:
        async for message in ws:
            await ws.send(message)

    @app.websocket("/cookie")
    async def cookie(ws: WebSocket) -> None:
        await ws.accept(headers={"Set-Cookie": "seen=yes; Path=/"})
        await ws.send(ws.request.cookies.get("seen", "no"))

    @app.get("/page")
    def page() -> Response[str]:
        return Response("page", headers={"x-part": "page"})

    return app


def test_structs_are_sent_and_json_is_received_where_the_handler_says_so() -> None:
    with TestClient(app()) as client:
        with client.websocket("/said?x=1") as ws:
            ws.send(Said("hello"))
            assert ws.receive() == {"text": "hello"}
            ws.send_json({"text": "you"})
            assert ws.receive_json() == {"text": "you"}
        with client.websocket("/echo") as ws:
            ws.send('{"text":"hello"}')
            assert ws.receive() == '{"text":"hello"}'
            ws.send_json("quoted")
            assert ws.receive() == '"quoted"'


def test_large_messages_pass_both_ways() -> None:
    with TestClient(app()) as client, client.websocket("/echo") as ws:
        for length in (0, 125, 126, 65_535, 65_536, 1_000_000):
            ws.send("x" * length)
            assert len(ws.receive()) == length


def test_the_end_is_raised_and_ends_an_iteration() -> None:
    with TestClient(app()) as client, client.websocket("/echo") as ws:
        ws.send("last")
        ws.close(4000, "bye")
        assert list(ws) == ["last"]
        assert ws.closed == (4000, "")
        for call in (ws.receive, lambda: ws.send("more")):
            with pytest.raises(WebSocketClosed) as closed:
                call()
            assert (closed.value.code, closed.value.reason) == (4000, "")


def test_cookies_of_the_handshake_are_kept() -> None:
    with TestClient(app()) as client:
        with client.websocket("/cookie") as ws:
            assert ws.receive() == "no"
        with client.websocket("/cookie") as ws:
            assert ws.receive() == "yes"
    with TestClient(app()) as client:
        with client.websocket("/cookie", cookies={"seen": "today"}) as ws:
            assert ws.receive() == "today"


@pytest.mark.parametrize(("path", "status"), [("/page", 200), ("/nowhere", 404)])
def test_another_answer_is_a_refusal(path: str, status: int) -> None:
    with TestClient(app()) as client:
        with pytest.raises(SocketRefused, match=f"was refused: {status}") as refused:
            with client.websocket(path):
                pass

    assert refused.value.response.status == status


def test_an_option_that_does_not_exist_is_refused() -> None:
    options: dict[str, Any] = {"json": {}}
    with pytest.raises(TypeError, match="json= is not an argument of a test WebSocket"):
        with TestClient(app()).websocket("/echo", **options):
            pass


def test_what_the_test_raises_is_what_it_ends_with() -> None:
    with pytest.raises(KeyError), TestClient(app()) as client, client.websocket("/echo"):
        raise KeyError


def test_nothing_within_the_time_limit_is_an_error() -> None:
    with TestClient(app()) as client:
        with pytest.raises(TimeoutError), client.websocket("/echo", timeout=0.01) as ws:
            ws.receive()


def test_the_async_twin_does_the_same() -> None:
    async def test() -> None:
        async with AsyncTestClient(app()) as client:
            async with client.websocket("/echo") as ws, client.websocket("/said?x=1") as other:
                await ws.send("hello")
                await other.send(Said("you"))
                assert [await ws.receive(), await other.receive()] == ["hello", {"text": "you"}]
                await ws.send_json([1])
                assert await ws.receive_json() == [1]
                await ws.close()
                assert [each async for each in ws] == []
                assert ws.closed == (1000, "")
            with pytest.raises(SocketRefused):
                async with client.websocket("/page"):
                    pass
            with pytest.raises(KeyError):
                async with client.websocket("/echo"):
                    raise KeyError

    asyncio.run(test())
