"""A WebSocket of an App, called as an ASGI host calls it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from kingpost import App, Forbidden, Request, Struct, WebSocket
from kingpost.channels import Channels
from kingpost.http.websocket import WebSocketClosed
from tests.waiting import PATIENCE, until_async

variable: ContextVar[str] = ContextVar("variable", default="none")
REFUSES: dict[str, Any] = {"websocket.http.response": {}}


class Point(Struct):
    x: int


class Host:
    """One WebSocket of a host's."""

    def __init__(self, app: App, path: str = "/", **scope: Any) -> None:
        self.app = app
        self.sent: list[Any] = []
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.headers: list[tuple[bytes, bytes]] = [
            (b"host", b"example.org"),
            (b"connection", b"keep-alive, Upgrade"),
            (b"upgrade", b"websocket"),
            (b"sec-websocket-version", b"13"),
            (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
            (b"sec-websocket-extensions", b"permessage-deflate"),
        ]
        self.scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "wss",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": self.headers,
            "client": ("203.0.113.9", 4711),
            "server": ("127.0.0.1", 8000),
            "subprotocols": [],
            **scope,
        }
        self.incoming.put_nowait({"type": "websocket.connect"})

    def hear(self, message: str | bytes) -> Host:
        """The client sends."""
        key = "text" if isinstance(message, str) else "bytes"
        other = "bytes" if isinstance(message, str) else "text"
        self.incoming.put_nowait({"type": "websocket.receive", key: message, other: None})
        return self

    def leave(self, code: int | None = 1000, reason: str | None = "") -> Host:
        """The client leaves."""
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        return self

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def run(self) -> Host:
        await asyncio.wait_for(self.app(self.scope, self.incoming.get, self.send), PATIENCE)
        return self

    @property
    def kinds(self) -> list[str]:
        return [message["type"].removeprefix("websocket.") for message in self.sent]

    @property
    def said(self) -> list[str | bytes]:
        """The messages."""
        return [
            message.get("text") if message.get("text") is not None else message["bytes"]
            for message in self.sent
            if message["type"] == "websocket.send"
        ]


def run(what: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(what())


def echo() -> App:
    app = App()

    @app.websocket("/")
    async def texts(ws: WebSocket) -> None:
        async for message in ws:
            await ws.send(message)

    @app.websocket("/bytes")
    async def data(ws: WebSocket[bytes, bytes]) -> None:
        async for message in ws:
            await ws.send(message)

    return app


@pytest.mark.parametrize(
    ("path", "messages"),
    [
        ("/", ["a", "é✓", "", "x" * 125, "x" * 126, "x" * 65_535, "x" * 65_536]),
        ("/bytes", [b"a", b"\xff\x00", b"", b"x" * 300_000]),
    ],
)
def test_texts_and_bytes_go_both_ways(path: str, messages: list[str | bytes]) -> None:
    async def main() -> None:
        host = Host(echo(), path)
        task = asyncio.ensure_future(host.run())
        for message in messages:
            host.hear(message)
        await until_async(lambda: len(host.said) == len(messages))
        host.leave()
        await task
        assert host.said == messages
        assert host.kinds == ["accept", *["send"] * len(messages)]

    run(main)


def test_a_handshake_is_accepted_with_a_subprotocol_and_fields() -> None:
    app = App()
    offered: list[list[str]] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        offered.append(list(ws.subprotocols))
        await ws.accept(subprotocol="b", headers={"X-Mark": "1", "Set-Cookie": "a=1"})

    async def main() -> None:
        host = await Host(app, subprotocols=["a", "b"]).run()

        assert offered == [["a", "b"]]
        accept, close = host.sent
        assert (accept["type"], accept["subprotocol"]) == ("websocket.accept", "b")
        names = [name for name, _ in accept["headers"]]
        assert {(b"x-mark", b"1"), (b"set-cookie", b"a=1")} <= set(accept["headers"])
        assert not any(name.startswith(b"sec-websocket") for name in names)
        assert not {b"connection", b"upgrade", b"date"} & set(names)
        assert close == {"type": "websocket.close", "code": 1000, "reason": ""}

    run(main)


def test_without_a_subprotocol_none_is_said() -> None:
    async def main() -> None:
        host = await Host(echo()).leave().run()
        assert host.sent[0]["subprotocol"] is None

    run(main)


def test_the_request_says_what_the_host_knows() -> None:
    app = App()

    @app.websocket("/a")
    async def talk(ws: WebSocket, request: Request) -> None:
        await ws.send(f"{request.client} {request.scheme} {request.host} {request.http_version}")
        await ws.send(f"{request.root_path} {request.path} {request.query['q']} {variable.get()}")

    async def main() -> None:
        variable.set("of the host")
        host = Host(app, "/shop/a", root_path="/shop", http_version="2", query_string=b"q=1")
        await host.run()

        assert host.said == ["203.0.113.9 https example.org 2", "/shop /a 1 of the host"]

    run(main)


def test_the_handler_runs_in_the_task_of_the_host() -> None:
    app = App()
    seen: list[object] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        seen.append(asyncio.current_task())
        await ws.receive()
        seen.append(asyncio.current_task())

    async def main() -> None:
        host = Host(app).hear("x")
        task = asyncio.ensure_future(app(host.scope, host.incoming.get, host.send))
        await asyncio.wait_for(task, PATIENCE)
        assert seen == [task, task]

    run(main)


def refusing() -> App:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        raise Forbidden("not you", headers={"X-Why": "because"})

    @app.get("/page")
    async def page() -> str:
        return "a page"

    @app.get("/large")
    async def large() -> bytes:
        return b"x" * 1_000_000

    return app


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/", 403, b"not you"),
        ("/nowhere", 404, b"not-found"),
        ("/page", 200, b"a page"),
        ("/large", 200, b"x" * 1_000_000),
    ],
)
def test_a_refusal_is_an_answer_where_the_host_can_send_one(
    path: str, status: int, part: bytes
) -> None:
    async def main() -> None:
        host = await Host(refusing(), path, extensions=REFUSES).run()

        start, *bodies = host.sent
        assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
        assert ((b"x-why", b"because") in start["headers"]) == (path == "/")
        assert {message["type"] for message in bodies} == {"websocket.http.response.body"}
        assert [message["more_body"] for message in bodies][-1] is False
        assert part in b"".join(message["body"] for message in bodies)

    run(main)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/large"])
def test_elsewhere_it_is_closed_before_it_is_accepted(path: str) -> None:
    async def main() -> None:
        host = await Host(refusing(), path).run()
        assert host.sent == [{"type": "websocket.close", "code": 1000, "reason": ""}]

    run(main)


def test_a_page_of_another_site_is_refused() -> None:
    async def main() -> None:
        for origin, kind in (
            (b"https://example.org", "accept"),
            (b"https://evil.example", "http.response.start"),
        ):
            host = Host(echo(), extensions=REFUSES)
            host.headers.append((b"origin", origin))
            await host.leave().run()
            assert host.kinds[0] == kind

    run(main)


@pytest.mark.parametrize(
    "field",
    [(b"x", b"1\r\ny: 2"), (b"content-length", b"5"), (b"transfer-encoding", b"chunked")],
)
def test_what_is_no_handshake_is_refused(field: tuple[bytes, bytes]) -> None:
    async def main() -> None:
        host = Host(echo(), extensions=REFUSES)
        host.headers.append(field)
        await host.run()
        assert host.sent[0]["status"] == 400

    run(main)


@pytest.mark.parametrize("offered", [["a b"], ["a\r\nx: 1"], ["é"]])
def test_a_subprotocol_that_is_none_is_refused(offered: list[str]) -> None:
    async def main() -> None:
        host = await Host(echo(), subprotocols=offered, extensions=REFUSES).run()
        assert host.sent[0]["status"] == 400

    run(main)


def test_the_handler_closes_with_code_and_reason() -> None:
    app = App()
    seen: list[tuple[int, str]] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        await ws.send("last")
        await ws.close(4001, "enough ✓")
        try:
            await ws.receive()
        except WebSocketClosed as closed:
            seen.append((closed.code, closed.reason))

    async def main() -> None:
        host = await Host(app).run()
        assert host.said == ["last"]
        assert host.sent[-1] == {"type": "websocket.close", "code": 4001, "reason": "enough ✓"}
        assert host.kinds == ["accept", "send", "close"]
        assert seen == [(4001, "enough ✓")]

    run(main)


@pytest.mark.parametrize(
    ("code", "reason", "heard"),
    [
        (1000, "bye", (1000, "bye")),
        (4999, "é", (4999, "é")),
        (1001, None, (1001, "")),
        (1005, "", (1005, "")),
        (None, None, (1005, "")),
        (1006, "", (1006, "")),
    ],
)
def test_the_handler_hears_how_the_client_left(
    code: int | None, reason: str | None, heard: tuple[int, str]
) -> None:
    app = App()
    seen: list[Any] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        # What came before is received first.
        seen.append(await ws.receive())
        seen.append(await ws.receive())
        try:
            await ws.receive()
        except WebSocketClosed as closed:
            seen.append((closed.code, closed.reason))
        seen.append(ws.closed)

    async def main() -> None:
        host = await Host(app).hear("a").hear("b").leave(code, reason).run()
        assert seen == ["a", "b", heard, heard]
        assert host.kinds == ["accept"]

    run(main)


def test_sending_to_who_has_left_raises_and_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    app = App()
    ended: list[tuple[int, str] | None] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        try:
            while True:
                await ws.send("x")
                await asyncio.sleep(0)
        finally:
            ended.append(ws.closed)

    async def main() -> None:
        host = Host(app)
        task = asyncio.ensure_future(host.run())
        await until_async(lambda: len(host.sent) > 3)
        host.leave(1001)
        await task
        assert ended == [(1001, "")]
        assert "close" not in host.kinds

    with caplog.at_level(logging.WARNING):
        run(main)
    assert caplog.records == []


@pytest.mark.parametrize("code", [1000, 1006])
def test_who_leaves_while_much_is_sent_is_heard_of(code: int) -> None:
    app = App()
    ended: list[tuple[int, str] | None] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        try:
            while True:
                await ws.send("x" * 65_536)
        finally:
            ended.append(ws.closed)

    async def main() -> None:
        host = Host(app)

        async def send(message: Any) -> None:
            # As granian does, it takes what nobody will read.
            del message
            host.sent = [*host.sent[-100:], "taken"]
            await asyncio.sleep(0)

        task = asyncio.ensure_future(app(host.scope, host.incoming.get, send))
        await until_async(lambda: len(host.sent) > 100)
        host.leave(code)
        await asyncio.wait_for(task, PATIENCE)
        assert ended == [(code, "")]

    run(main)


def test_a_host_that_can_send_no_more_ends_the_conversation() -> None:
    app = App()
    ended: list[tuple[int, str] | None] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        try:
            async for message in ws:
                await ws.send(message)
        finally:
            ended.append(ws.closed)

    async def main() -> None:
        host = Host(app).hear("a")

        async def send(message: Any) -> None:
            if message["type"] == "websocket.send":
                raise OSError("the client has left")
            host.sent.append(message)

        await asyncio.wait_for(app(host.scope, host.incoming.get, send), PATIENCE)
        assert ended == [(1006, "")]

    run(main)


def test_who_leaves_before_an_answer_cancels_the_handler() -> None:
    app = App()
    ended: list[str] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def main() -> None:
        host = await Host(app).leave(1006).run()
        assert ended == ["cancelled"]
        assert host.sent == []
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()

    run(main)


def test_a_host_that_cancels_its_task_cancels_the_handler() -> None:
    app = App()
    ended: list[str] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        try:
            await ws.receive()
        finally:
            ended.append("ended")

    async def main() -> None:
        host = Host(app)
        task = asyncio.ensure_future(app(host.scope, host.incoming.get, host.send))
        await until_async(lambda: host.sent)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["ended"]

    run(main)


def test_a_handler_that_fails_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        await ws.send("x")
        raise ValueError("this is meant to fail")

    async def main() -> None:
        host = await Host(app).run()
        assert host.kinds == ["accept", "send", "close"]
        assert host.sent[-1]["code"] == 1011

    with caplog.at_level(logging.ERROR):
        run(main)
    assert "this is meant to fail" in caplog.text


@pytest.mark.parametrize(("size", "ends"), [(1 << 20, False), ((1 << 20) + 1, True)])
def test_the_limit_of_a_message_holds(size: int, ends: bool) -> None:
    app = App()
    sizes: list[int] = []

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        async for message in ws:
            sizes.append(len(message))
            await ws.send("taken")

    async def main() -> None:
        host = Host(app).hear("x" * size)
        task = asyncio.ensure_future(host.run())
        await until_async(lambda: len(host.sent) > 1)
        if ends:
            assert host.sent[-1]["type"] == "websocket.close"
            assert host.sent[-1]["code"] == 1009
        else:
            assert host.said == ["taken"]
            host.leave()
        await task
        assert sizes == ([] if ends else [size])

    run(main)


def test_a_text_that_is_no_unicode_is_closed_with_1007() -> None:
    async def main() -> None:
        host = await Host(echo()).hear("a\ud800").run()
        assert host.sent[-1]["code"] == 1007

    run(main)


def test_a_message_of_another_type_is_answered_with_a_problem() -> None:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket[Point, Point]) -> None:
        await ws.send(await ws.receive())

    async def main() -> None:
        host = await Host(app).hear('{"x":"a"}').hear('{"x":1}').run()
        assert "validation" in str(host.said[0])
        assert host.said[1] == '{"x":1}'

    run(main)


def test_a_client_that_reads_slowly_is_waited_for() -> None:
    app = App()
    made = 0

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        nonlocal made
        for _ in range(400):
            await ws.send("x" * 65_536)
            made += 1

    async def main() -> None:
        host = Host(app)
        go_on = asyncio.Event()

        async def send(message: Any) -> None:
            host.sent.append(message)
            if len(host.sent) == 3:
                await go_on.wait()

        task = asyncio.ensure_future(app(host.scope, host.incoming.get, send))
        before = -1
        while made != before:
            before = made
            for _ in range(100):
                await asyncio.sleep(0)
        assert made < 100
        go_on.set()
        await asyncio.wait_for(task, PATIENCE)
        assert len(host.said) == 400
        assert host.kinds[-1] == "close"

    run(main)


def test_a_handler_that_reads_slowly_is_sent_no_more_than_it_takes() -> None:
    app = App()
    go_on = asyncio.Event()
    count = 0

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        nonlocal count
        await ws.accept()
        await go_on.wait()
        async for _ in ws:
            count += 1

    async def main() -> None:
        host = Host(app)
        taken = 0

        async def receive() -> dict[str, Any]:
            nonlocal taken
            taken += 1
            await asyncio.sleep(0)
            if taken == 1:
                return {"type": "websocket.connect"}
            if taken > 400:
                return {"type": "websocket.disconnect", "code": 1000}
            return {"type": "websocket.receive", "text": "x" * 65_536}

        task = asyncio.ensure_future(app(host.scope, receive, host.send))
        before = -1
        while taken != before:
            before = taken
            for _ in range(100):
                await asyncio.sleep(0)
        assert taken < 100
        go_on.set()
        await asyncio.wait_for(task, PATIENCE)
        assert count == 399

    run(main)


def test_pings_are_answered_in_the_hosts_stead() -> None:
    app = App()

    @app.websocket("/")
    async def talk(ws: WebSocket) -> None:
        await ws.accept()
        ws.__socket__().ping(b"there?")
        await ws.send(await ws.receive())

    async def main() -> None:
        host = await Host(app).hear("x").run()
        assert host.kinds == ["accept", "send", "close"]

    run(main)


def test_what_is_published_reaches_those_who_have_joined() -> None:
    app = App(plugins=[Channels()])

    @app.websocket("/{room}")
    async def talk(ws: WebSocket, room: str, channels: Channels) -> None:
        async with channels.join(room, ws):
            async for message in ws:
                await channels.publish(room, message)

    async def main() -> None:
        hosts = [Host(app, "/a"), Host(app, "/a"), Host(app, "/b")]
        tasks = [asyncio.ensure_future(host.run()) for host in hosts]
        await until_async(lambda: all(host.sent for host in hosts))
        hosts[0].hear("hello")
        await until_async(lambda: hosts[0].said and hosts[1].said)
        for host in hosts:
            host.leave()
        await asyncio.gather(*tasks)
        assert [host.said for host in hosts] == [["hello"], ["hello"], []]

    run(main)


def test_a_host_that_asks_nothing_is_told_nothing() -> None:
    async def main() -> None:
        host = Host(echo())
        host.incoming.get_nowait()
        await host.leave().run()
        assert host.sent == []

    run(main)
