from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kingpost import _native
from kingpost.http.request import Request
from tests.frames import (
    ACCEPT,
    BINARY,
    CLOSE,
    CONTINUATION,
    KEY,
    PING,
    PONG,
    TEXT,
    Client,
    Frame,
    closing,
    connected,
    frame,
    handshake,
    packed,
    unpacked,
)
from tests.waiting import until_async

from .service import Service, serving

MEBIBYTE = 1024 * 1024
Handler = Callable[[_native.WebSocket], Awaitable[Any]]


def on(handler: Handler) -> list[tuple[str, Any, str, dict[str, Any]]]:
    async def run(request: Request) -> Any:
        assert request.websocket is not None
        return await handler(request.websocket)

    return [("/", run, "websocket", {})]


async def echo(ws: _native.WebSocket) -> None:
    ws.accept()
    while True:
        await ws.send(await ws.receive())


def run(
    handler: Handler, talk: Callable[[Client, Service], Awaitable[None]], **options: Any
) -> None:
    fields = options.pop("fields", {})

    async def main() -> None:
        async with (
            serving(on(handler), **options) as service,
            connected(service.port, **fields) as client,
        ):
            await talk(client, service)

    asyncio.run(main())


@pytest.mark.parametrize("tasks", ["carrier", "plain"])
def test_messages_go_both_ways(tasks: str) -> None:
    async def talk(client: Client, service: Service) -> None:
        assert client.status == 101
        assert client.field("sec-websocket-accept") == ACCEPT
        assert client.field("upgrade") == "websocket"
        client.text("héllo")
        assert await client.text_of() == "héllo"
        client.send(frame(BINARY, b"\0\xff"))
        assert await client.read() == Frame(BINARY, b"\0\xff")
        client.send(frame(TEXT, b"in ", last=False), frame(PING, b"?"), frame(CONTINUATION, b"two"))
        assert await client.read() == Frame(PONG, b"?")
        assert await client.text_of() == "in two"
        for length in (0, 1, 125, 126, 65_535, 65_536, MEBIBYTE):
            client.send(frame(BINARY, b"x" * length))
            assert (await client.read()).payload == b"x" * length
        client.send(closing(1000, "bye"))
        assert (await client.read()).code == 1000
        assert await client.rest() == b""
        await until_async(lambda: service.server.in_flight == 0)
        assert service.dispatch.failures == []

    run(echo, talk, tasks=tasks)


def test_many_messages_in_one_read_are_answered_in_order() -> None:
    async def talk(client: Client, service: Service) -> None:
        client.send(*(frame(TEXT, str(n).encode()) for n in range(1_000)))
        assert [await client.text_of() for _ in range(1_000)] == [str(n) for n in range(1_000)]

    run(echo, talk)


def test_what_is_returned_before_it_is_accepted_is_plain_http() -> None:
    async def refuse(ws: _native.WebSocket) -> str:
        return "not for you"

    async def talk(client: Client, service: Service) -> None:
        assert client.status == 200

    run(refuse, talk)


def test_what_is_raised_before_it_is_accepted_is_plain_http() -> None:
    async def refuse(ws: _native.WebSocket) -> None:
        with pytest.raises(RuntimeError, match="not accepted yet"):
            ws.receive()
        with pytest.raises(RuntimeError, match="not accepted yet"):
            ws.send("x")
        with pytest.raises(RuntimeError, match="return or raise an answer"):
            ws.close()
        raise LookupError("no such room")

    async def talk(client: Client, service: Service) -> None:
        assert client.status == 500
        assert await client.reader.readexactly(11) == b"LookupError"

    run(refuse, talk)


def test_the_end_of_the_handler_closes_with_1000() -> None:
    async def once(ws: _native.WebSocket) -> str:
        ws.accept()
        await ws.send("hello")
        return "ignored"

    async def talk(client: Client, service: Service) -> None:
        assert await client.text_of() == "hello"
        assert (await client.read()).code == 1000
        client.send(closing(1000))
        assert await client.rest() == b""
        await until_async(lambda: service.server.connections == 0)

    run(once, talk)


def test_an_exception_closes_with_1011_and_is_told() -> None:
    async def fail(ws: _native.WebSocket) -> None:
        ws.accept()
        await ws.receive()
        raise ValueError("broken")

    async def talk(client: Client, service: Service) -> None:
        client.text("go")
        assert (await client.read()).code == 1011
        await until_async(lambda: service.dispatch.failures)
        assert [str(error) for error in service.dispatch.failures] == ["broken"]

    run(fail, talk)


def test_the_end_is_raised_every_time_and_behind_every_message() -> None:
    seen: list[Any] = []

    async def late(ws: _native.WebSocket) -> None:
        ws.accept()
        assert ws.closed is None
        await until_async(lambda: ws.closed)
        for _ in range(5):
            try:
                seen.append(await ws.receive())
            except _native.WebSocketClosed as closed:
                seen.append((closed.code, closed.reason))
        with pytest.raises(_native.WebSocketClosed):
            await ws.send("x")
        with pytest.raises(_native.WebSocketClosed):
            ws.ping()
        assert not ws.send_now("x")
        await ws.close(4000)
        seen.append(ws.closed)

    async def talk(client: Client, service: Service) -> None:
        client.send(*(frame(TEXT, text) for text in (b"a", b"b", b"c")), closing(4001, "off"))
        await client.rest()
        await until_async(lambda: service.server.in_flight == 0)
        assert seen == ["a", "b", "c", (4001, "off"), (4001, "off"), (4001, "off")]
        assert service.dispatch.failures == []

    run(late, talk)


def test_a_connection_that_breaks_off_is_1006() -> None:
    seen: list[Any] = []

    async def wait(ws: _native.WebSocket) -> None:
        ws.accept()
        try:
            await ws.receive()
        except _native.WebSocketClosed as closed:
            seen.append((closed.code, str(closed)))

    async def talk(client: Client, service: Service) -> None:
        client.writer.close()
        await until_async(lambda: seen)
        assert seen == [(1006, "the WebSocket is closed with 1006")]

    run(wait, talk)


def test_the_handler_closes_and_is_told_nothing_more() -> None:
    seen: list[Any] = []

    async def closer(ws: _native.WebSocket) -> None:
        ws.accept()
        await ws.close(4002, "enough")
        with pytest.raises(_native.WebSocketClosed) as closed:
            await ws.receive()
        seen.append((closed.value.code, closed.value.reason, ws.closed))

    async def talk(client: Client, service: Service) -> None:
        said = await client.read()
        assert (said.code, said.reason) == (4002, "enough")
        # A message that was on its way is dropped.
        client.send(frame(TEXT, b"late"), closing(4002))
        assert await client.rest() == b""
        assert seen == [(4002, "enough", (4002, "enough"))]
        await until_async(lambda: service.server.in_flight == 0)
        assert service.dispatch.failures == []

    run(closer, talk)


def test_what_cannot_be_said_is_the_callers_mistake() -> None:
    async def wrong(ws: _native.WebSocket) -> None:
        with pytest.raises(ValueError, match="none of those that the client speaks"):
            ws.accept("soap")
        with pytest.raises(ValueError, match="Sec-WebSocket-Accept"):
            ws.accept(headers=[("Sec-WebSocket-Accept", "x")])
        with pytest.raises(ValueError, match="control bytes"):
            ws.accept(headers=[("x", "a\r\nb: c")])
        ws.accept("chat", [("x-room", "1")])
        with pytest.raises(RuntimeError, match="accepted already"):
            ws.accept()
        with pytest.raises(TypeError, match="str or bytes, not int"):
            await ws.send(1)  # type: ignore[arg-type]  # what this is about
        with pytest.raises(UnicodeEncodeError):
            await ws.send("\ud800")
        with pytest.raises(ValueError, match="at most 125 bytes"):
            ws.ping(b"x" * 126)
        for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000):
            with pytest.raises(ValueError, match="no code to close with"):
                ws.close(code)
        with pytest.raises(ValueError, match="at most 123 bytes"):
            ws.close(1000, "é" * 62)
        await ws.send(bytearray(b"ok"))
        await ws.send(memoryview(b"ok"))

    async def talk(client: Client, service: Service) -> None:
        assert client.field("sec-websocket-protocol") == "chat"
        assert client.field("x-room") == "1"
        assert [(await client.read()).payload for _ in range(2)] == [b"ok", b"ok"]
        assert (await client.read()).code == 1000
        await until_async(lambda: service.server.in_flight == 0)
        assert service.dispatch.failures == []

    run(wrong, talk, fields={"sec_websocket_protocol": "chat, other"})


def test_two_tasks_do_not_receive_at_once() -> None:
    async def both(ws: _native.WebSocket) -> None:
        ws.accept()

        async def receive() -> Any:
            return await ws.receive()

        task = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task receives"):
            ws.receive()
        await ws.send(await task)

    async def talk(client: Client, service: Service) -> None:
        client.text("one")
        assert await client.text_of() == "one"
        assert service.dispatch.failures == []

    run(both, talk)


def test_no_message_is_lost_with_a_task_that_is_cancelled() -> None:
    async def patient(ws: _native.WebSocket) -> None:
        ws.accept()

        async def receive() -> Any:
            return await ws.receive()

        for _ in range(200):
            task = asyncio.ensure_future(receive())
            for _ in range(3):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await ws.send(await task)
            except asyncio.CancelledError:
                await asyncio.sleep(0)
        while True:
            await ws.send(await ws.receive())

    async def talk(client: Client, service: Service) -> None:
        for n in range(300):
            client.text(str(n))
            await asyncio.sleep(0)
        assert [await client.text_of() for _ in range(300)] == [str(n) for n in range(300)]
        assert service.dispatch.failures == []

    run(patient, talk)


def test_a_message_outlives_two_tasks_that_do_not_take_it() -> None:
    seen: list[Any] = []

    async def forgetful(ws: _native.WebSocket) -> None:
        ws.accept()
        assert await ws.receive() == "first"
        for _ in range(3):
            # Each is given what the one before it did not take.
            ws.receive()
        seen.append(await ws.receive())

    async def talk(client: Client, service: Service) -> None:
        client.send(frame(TEXT, b"first"), frame(TEXT, b"second"), closing(1000))
        await client.rest()
        await until_async(lambda: service.server.in_flight == 0)
        assert seen == ["second"]
        assert service.dispatch.failures == []

    run(forgetful, talk)


@pytest.mark.parametrize("tasks", ["carrier", "plain"])
def test_asyncio_makes_tasks_of_what_is_awaited(tasks: str) -> None:
    piece = b"x" * 65_536
    full = asyncio.Event()
    seen: list[str] = []

    async def use(ws: _native.WebSocket) -> None:
        ws.accept()
        # What is done at once, and what has to wait.
        assert await asyncio.wait_for(ws.send("now"), 60) is None
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ws.receive(), 0)
        assert await asyncio.gather(ws.receive(), ws.send("together")) == ["said", None]
        while ws.send_now(piece):
            pass
        full.set()
        await asyncio.gather(ws.send("a"), asyncio.shield(ws.send("b")))
        done, _ = await asyncio.wait([asyncio.create_task(ws.send("c"))])
        assert [task.exception() for task in done] == [None]
        async with asyncio.TaskGroup() as group:
            group.create_task(ws.send("d"))
        task = asyncio.create_task(ws.receive())
        await asyncio.sleep(0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await task
        seen.append("all")

    async def talk(client: Client, service: Service) -> None:
        assert await client.text_of() == "now"
        client.text("said")
        assert await client.text_of() == "together"
        await full.wait()
        texts: list[str] = []
        while len(texts) < 4:
            read = await client.read()
            if read.opcode == TEXT:
                texts.append(read.payload.decode())
        assert texts == ["a", "b", "c", "d"]
        assert (await client.read()).code == 1000
        await until_async(lambda: service.server.in_flight == 0)
        assert service.dispatch.failures == []
        assert seen == ["all"]

    run(use, talk, tasks=tasks)


def test_a_slow_reader_is_waited_for_and_send_now_says_no() -> None:
    piece = b"x" * 65_536
    sent = 0
    refused = asyncio.Event()

    async def flood(ws: _native.WebSocket) -> None:
        nonlocal sent
        ws.accept()
        while ws.send_now(piece):
            sent += 1
        assert 16 <= ws.buffered // 60_000 <= 17
        refused.set()
        await asyncio.gather(*(each(ws, str(n)) for n in range(20)))

    async def each(ws: _native.WebSocket, text: str) -> None:
        await ws.send(text)

    async def talk(client: Client, service: Service) -> None:
        await refused.wait()
        for _ in range(sent):
            assert (await client.read()).payload == piece
        assert [await client.text_of() for _ in range(20)] == [str(n) for n in range(20)]
        assert (await client.read()).code == 1000

    async def main() -> None:
        nonlocal refused
        refused = asyncio.Event()
        async with serving(on(flood)) as service:
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=4096)
            writer.write(handshake())
            head = await reader.readuntil(b"\r\n\r\n")
            await talk(Client(reader, writer, head), service)
            writer.close()

    asyncio.run(main())


def test_a_frame_is_encoded_once_for_many() -> None:
    sockets: list[_native.WebSocket] = []
    long = json.dumps([{"number": n, "name": "the same again"} for n in range(100)])
    frames = [_native.Frame(long), _native.Frame(b"short")]
    assert frames[0].message is long
    assert len(frames[1]) == 7
    with pytest.raises(TypeError, match="str or bytes"):
        _native.Frame(None)  # type: ignore[arg-type]  # what this is about

    async def join(ws: _native.WebSocket) -> None:
        ws.accept()
        sockets.append(ws)
        await ws.receive()

    async def main() -> None:
        async with (
            serving(on(join)) as service,
            connected(service.port) as plain,
            connected(service.port, sec_websocket_extensions="permessage-deflate") as packs,
        ):
            await until_async(lambda: len(sockets) == 2)
            for each in frames:
                assert all(ws.send_now(each) for ws in sockets)
            assert await plain.read() == Frame(TEXT, long.encode())
            received = await packs.read()
            assert received.is_compressed
            assert len(received.payload) < len(long) / 5
            assert unpacked(received.payload).decode() == long
            for client in (plain, packs):
                assert await client.read() == Frame(BINARY, b"short")

    asyncio.run(main())


def test_a_frame_is_what_was_given_whatever_becomes_of_it() -> None:
    sockets: list[_native.WebSocket] = []
    text = b"the same again, and " * 100
    given = bytearray(text)
    once = _native.Frame(given)
    given[:] = b"!" * len(given)
    assert once.message == text

    async def join(ws: _native.WebSocket) -> None:
        ws.accept()
        sockets.append(ws)
        await ws.receive()

    async def main() -> None:
        async with (
            serving(on(join)) as service,
            connected(service.port) as plain,
            connected(service.port, sec_websocket_extensions="permessage-deflate") as packs,
        ):
            await until_async(lambda: len(sockets) == 2)
            assert all(ws.send_now(once) for ws in sockets)
            assert await plain.read() == Frame(BINARY, text)
            assert unpacked((await packs.read()).payload) == text

    asyncio.run(main())


def test_messages_are_compressed_where_that_was_agreed_on() -> None:
    text = "compress me, " * 100

    async def talk(client: Client, service: Service) -> None:
        agreed = client.field("sec-websocket-extensions")
        assert (
            agreed == "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        )
        client.send(frame(TEXT, packed(text.encode()), reserved=4))
        back = await client.read()
        assert back.is_compressed
        assert unpacked(back.payload).decode() == text
        client.text("short")
        assert await client.read() == Frame(TEXT, b"short")

    run(
        echo,
        talk,
        fields={"sec_websocket_extensions": "permessage-deflate; client_max_window_bits"},
    )


def test_a_path_with_a_websocket_and_pages() -> None:
    async def page(request: Request) -> str:
        assert request.websocket is None
        return "page"

    async def main() -> None:
        routes = [*on(echo), ("/both", page, "async", {"binders": [("request",)]})]
        async with serving(routes) as service:
            status, body = await service.get("/")
            assert (status, json.loads(body)["code"]) == (426, "websocket.expected")
            # It is no method that a client may name.
            assert (await service.get("/", method="WEBSOCKET"))[0] == 426
            assert (await service.get("/both", method="WEBSOCKET"))[0] == 405
            # A page that a client wants to upgrade is a page.
            assert await service.get("/both", fields="upgrade: websocket\r\n") == (200, b"page")
            async with connected(service.port, "/both") as client:
                assert client.status == 200

    asyncio.run(main())


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"sec_websocket_version": "12"}, 426, "websocket.version"),
        ({"sec_websocket_version": None}, 426, "websocket.version"),
        ({"sec_websocket_key": None}, 400, "websocket.key"),
        ({"sec_websocket_key": KEY[:-1]}, 400, "websocket.key"),
        ({"sec_websocket_protocol": "a b"}, 400, "websocket.subprotocol"),
        ({"sec_websocket_extensions": "=;"}, 400, "websocket.extensions"),
        ({"content_length": "3"}, 400, "websocket.body"),
    ],
)
def test_a_malformed_handshake_is_refused(changes: dict[str, str], status: int, code: str) -> None:
    async def talk(client: Client, service: Service) -> None:
        assert client.status == status
        assert json.loads(await client.rest())["code"] == code
        if status == 426:
            assert client.field("upgrade") == "websocket"
            assert client.field("sec-websocket-version") == "13"

    run(echo, talk, fields=changes)


def test_a_server_that_stops_says_that_it_goes_away() -> None:
    seen: list[Any] = []

    async def wait(ws: _native.WebSocket) -> None:
        ws.accept()
        try:
            await ws.receive()
        except _native.WebSocketClosed as closed:
            seen.append(closed.code)

    async def talk(client: Client, service: Service) -> None:
        await until_async(lambda: service.server.in_flight == 1)
        service.server.stop(60)
        assert (await client.read()).code == 1001
        client.send(closing(1001))
        assert await client.rest() == b""
        await until_async(lambda: service.server.connections == 0)
        assert seen == [1001]

    run(wait, talk)


def test_a_client_that_is_silent_is_asked_and_then_given_up() -> None:
    async def talk(client: Client, service: Service) -> None:
        assert (await client.read()).opcode == PING
        assert (await client.read()).code == 1011
        await client.rest()

    run(echo, talk, limits={"websocket_ping": 300})


def test_who_does_not_close_too_is_cut_off() -> None:
    async def close(ws: _native.WebSocket) -> None:
        ws.accept()

    async def talk(client: Client, service: Service) -> None:
        assert (await client.read()).code == 1000
        assert await client.rest() == b""

    run(close, talk, limits={"websocket_close": 300})


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(TEXT, b"x", mask=None), 1002),
        (frame(TEXT, b"x", reserved=1), 1002),
        (frame(3), 1002),
        (frame(PING, last=False), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(CONTINUATION), 1002),
        (frame(TEXT, last=False) + frame(TEXT), 1002),
        (frame(CLOSE, b"x"), 1002),
        (closing(1005), 1002),
        (frame(CLOSE, b"\x03\xe8\xff"), 1007),
        (frame(TEXT, b"\xff", length=100), 1007),
        (frame(TEXT, b"\xc3"), 1007),
        (frame(TEXT, packed(b"x"), reserved=4), 1002),
    ],
)
def test_what_breaks_a_rule_is_closed_with_its_code(sent: bytes, code: int) -> None:
    async def talk(client: Client, service: Service) -> None:
        client.send(sent)
        assert (await client.read()).code == code
        await client.rest()
        await until_async(lambda: service.server.in_flight == 0)
        assert service.dispatch.failures == []

    run(echo, talk)
