"""ASGI applications that are served as they are."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.client
import logging
import socket
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from kingpost.interop.guest import Guest, GuestService
from tests.conformance.http2.client import Client
from tests.security.rig import Rig, reset, send, send_until_full, serving
from tests.waiting import until

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
PROMISE: Message = {**START, "trailers": True}


@contextlib.contextmanager
def hosting(app: Asgi, **options: Any) -> Generator[Rig]:
    """A server of one application, which is asked about HTTP only, or about WebSockets only."""
    wanted = "websocket" if options.pop("sockets", False) else "http"

    async def one_kind(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != wanted:
            raise NotImplementedError
        await app(scope, receive, send)

    with serving_all(one_kind, **options) as rig:
        yield rig


@contextlib.contextmanager
def serving_all(app: Asgi, **options: Any) -> Generator[Rig]:
    """A server of one application."""
    with serving(GuestService(Guest(app, "asgi", **options), mode="production")) as rig:
        yield rig


def ask(
    rig: Rig, method: str = "GET", target: str = "/", body: Any = None, **fields: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, fields and body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=60)
    with contextlib.closing(connection):
        connection.request(
            method,
            target,
            body=body,
            headers={name.replace("_", "-"): value for name, value in fields.items()},
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


async def whole(send: Send, body: bytes = b"", *fields: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def test_the_scope_says_all_of_a_request() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await whole(send)

    with hosting(app, prefix="/shop") as rig:
        ask(rig, "PUT", "/shop/caf%C3%A9%2Fa%20b?x=1&y=%20", body=b"abc", X_Two="b", x_one="a")
    (scope,) = seen
    headers = dict(scope.pop("headers"))
    client = scope.pop("client")
    assert headers[b"x-two"] == b"b"
    assert headers[b"x-one"] == b"a"
    assert headers[b"content-length"] == b"3"
    assert client[0] == "127.0.0.1"
    assert isinstance(client[1], int)
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "server": ("127.0.0.1", rig.port),
        "scheme": "http",
        "method": "PUT",
        "root_path": "/shop",
        "path": "/shop/café/a b",
        "raw_path": b"/shop/caf%C3%A9%2Fa%20b",
        "query_string": b"x=1&y=%20",
        "extensions": {
            "http.response.early_hint": {},
            "http.response.pathsend": {},
            "http.response.trailers": {},
        },
        "state": {},
    }


def test_nothing_is_added_to_an_answer_but_what_frames_it() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await whole(send, b"hello", (b"content-length", b"5"), (b"x-own", b"1"))

    with hosting(app) as rig:
        status, fields, body = ask(rig)
    assert (status, body) == (200, b"hello")
    assert sorted(fields) == ["content-length", "date", "x-own"]


def test_a_body_is_received_in_pieces_and_ends_once() -> None:
    got: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            got.append(message)
            if not message.get("more_body"):
                break
        await whole(send, str(sum(len(one["body"]) for one in got)).encode())

    with hosting(app) as rig:
        assert ask(rig, "POST", body=b"x" * 3_000_000)[2] == b"3000000"
        many = len(got)
        got.clear()
        assert ask(rig, "POST", body=iter([b"a", b"bc"]))[2] == b"3"
        assert b"".join(one["body"] for one in got) == b"abc"
        got.clear()
        assert ask(rig)[2] == b"0"
        assert got == [{"type": "http.request", "body": b"", "more_body": False}]
    assert many > 1


def test_a_body_that_is_too_large_is_413_and_no_failure_of_the_application(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            raise OSError("the client has left")
        await whole(send, b"read")

    with hosting(app, max_body=10) as rig:
        assert ask(rig, "POST", body=b"x" * 10)[::2] == (200, b"read")
        assert ask(rig, "POST", body=b"x" * 11)[0] == 413
        assert ask(rig, "POST", body=iter([b"x" * 6, b"x" * 5]))[0] == 413
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_a_stream_is_sent_as_it_comes_and_waits_for_its_reader() -> None:
    written: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        for number in range(2_000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            written.append(number)
        await send({"type": "http.response.body"})

    with hosting(app) as rig, rig.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
        until(lambda: len(written) > 2)
        # What lies in buffers of the system besides ours is far less than all of it.
        seen = -1
        while seen != len(written):
            seen = len(written)
            ask_nothing(rig)
        assert len(written) < 1_000
        total = 0
        while total < 200_000_000:
            piece = connection.recv(1 << 20)
            assert piece
            total += len(piece)
        until(lambda: len(written) == 2_000)


def ask_nothing(rig: Rig) -> None:
    """A turn of the server's, so that what it could still do is done."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", rig.port), 60)) as other:
        other.sendall(b"nonsense\r\n\r\n")
        while other.recv(1000):
            pass


def test_who_waits_for_the_client_to_leave_is_told() -> None:
    told: list[Message] = []
    raised: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(START)
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        told.append(await receive())
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                await asyncio.sleep(0)
        except OSError as error:
            raised.append(error)
            raise

    with hosting(app) as rig:
        connection = rig.connect()
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        connection.recv(1000)
        reset(connection)
        until(lambda: raised)
        rig.until_idle()
    assert told == [{"type": "http.disconnect"}]


def test_a_writer_that_waits_for_room_is_woken_when_the_client_leaves() -> None:
    raised: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        try:
            while True:
                await send(
                    {"type": "http.response.body", "body": b"x" * 100_000, "more_body": True}
                )
        except OSError as error:
            raised.append(error)

    with hosting(app) as rig:
        connection = rig.connect()
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        connection.recv(1000)
        reset(connection)
        until(lambda: raised)
        rig.until_idle()


def test_behind_a_complete_answer_receive_says_that_it_is_over() -> None:
    told: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        waits = asyncio.create_task(receive_after(receive, told))
        await asyncio.sleep(0)
        await whole(send, b"done")
        await waits

    async def receive_after(receive: Receive, told: list[Message]) -> None:
        await receive()
        told.append(await receive())

    with hosting(app) as rig:
        assert ask(rig)[2] == b"done"
        until(lambda: told)
    assert told == [{"type": "http.disconnect"}]


def test_what_receive_and_send_give_can_be_made_tasks() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await asyncio.create_task(receive())  # type: ignore[arg-type]  # a coroutine in all that it can do
        body = (
            await asyncio.wait_for(asyncio.ensure_future(receive()), 60)
            if message["more_body"]
            else message
        )
        await asyncio.wait_for(send(START), 60)
        await asyncio.gather(send({"type": "http.response.body", "body": body["body"]}))
        with pytest.raises(TimeoutError):
            # The client stays, and says nothing more.
            await asyncio.wait_for(never(), 0)

    async def never() -> None:
        await asyncio.Event().wait()

    with hosting(app) as rig:
        assert ask(rig, "POST", body=b"abc")[2] == b"abc"


def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    given_up: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await receive()
        given_up.append(True)
        message = await receive()
        await whole(send, message["body"])

    with hosting(app) as rig, rig.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n")
        until(lambda: given_up)
        connection.sendall(b"abc")
        data = b""
        while not data.endswith(b"abc"):
            data += connection.recv(1000)


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([], "without an answer"),
        ([START], "before its answer was complete"),
        ([{"type": "http.response.body", "body": b""}], "before http.response.start"),
        ([START, START], "twice"),
        ([{"type": "http.response.start", "status": 99}], "from 200 to 599"),
        ([{"type": "http.response.start", "status": "200"}], "from 200 to 599"),
        ([{"type": "http.response.start"}], 'no "status"'),
        ([{"type": "http.response.start", "status": 200, "headers": [("a", "b")]}], "bytes"),
        ([{"type": "http.response.start", "status": 200, "headers": [(b"a b", b"c")]}], "token"),
        ([{"type": "http.response.start", "status": 200, "headers": [(b"a", b"b\r\nc: d")]}], "CR"),
        ([START, {"type": "http.response.body", "body": "text"}], "bytes, not str"),
        ([{"type": "http.response.push"}], "none that is understood"),
        ([{"type": "http.response.trailers"}], 'did not say "trailers": True'),
        ([START, {"type": "http.response.trailers"}], 'did not say "trailers": True'),
        ([PROMISE, {"type": "http.response.trailers"}], "before the end of the body"),
        ([PROMISE, {"type": "http.response.pathsend", "path": "/a"}], "has promised trailers"),
        ([{}], 'no "type"'),
        (
            [
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [(b"content-length", b"2")],
                },
                {"type": "http.response.body", "body": b"abc"},
            ],
            "longer than its Content-Length of 2",
        ),
        (
            [
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [(b"content-length", b"4")],
                },
                {"type": "http.response.body", "body": b"abc"},
            ],
            "its Content-Length says 4",
        ),
    ],
)
def test_what_breaks_the_interface_is_500_and_told(
    messages: list[Message], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with hosting(app) as rig:
        assert ask(rig)[0] == 500
        assert ask(rig)[2] == b"Internal Server Error"
    assert says in "\n".join(str(one.exc_info and one.exc_info[1]) for one in caplog.records)


def summing(*pieces: bytes) -> Asgi:
    """Sends pieces of a body, and two trailer fields in a message each."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"trailer", b"x-sum, x-last"), (b"x-early", b"1")]
        if scope["path"] == "/declared":
            headers.append((b"content-length", str(sum(map(len, pieces))).encode()))
        await send({**PROMISE, "headers": headers})
        for at, piece in enumerate(pieces, 1):
            more = at < len(pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
        total = str(sum(map(len, pieces))).encode()
        await send(
            {
                "type": "http.response.trailers",
                "headers": [(b"x-sum", total)],
                "more_trailers": True,
            }
        )
        await send({"type": "http.response.trailers", "headers": [(b"x-last", b"yes")]})

    return app


def said(rig: Rig, request: str) -> bytes:
    """All that is sent for a request that ends its connection."""
    with rig.connect() as connection:
        connection.sendall(request.encode())
        data = b""
        while piece := connection.recv(100_000):
            data += piece
    return data


TAKES = "GET /{} HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize("pieces", [(b"hello",), (b"he", b"", b"llo"), (b"",)])
def test_trailers_stand_behind_the_body_for_a_client_that_takes_them(
    pieces: tuple[bytes, ...],
) -> None:
    with hosting(summing(*pieces)) as rig:
        data = said(rig, TAKES.format(""))
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"\r\ntrailer: x-sum, x-last\r\n" in head
    assert b"\r\nx-early: 1\r\n" in head
    total = sum(map(len, pieces))
    assert body.endswith(b"0\r\nx-sum: %d\r\nx-last: yes\r\n\r\n" % total)


def test_trailers_are_dropped_where_there_is_no_place_for_them() -> None:
    with hosting(summing(b"he", b"llo")) as rig:
        plain = said(rig, TAKES.format("").replace("te: trailers\r\n", ""))
        declared = said(rig, TAKES.format("declared"))
        head = said(rig, TAKES.format("").replace("GET", "HEAD"))
        old = said(rig, "GET / HTTP/1.0\r\nte: trailers\r\n\r\n")
    assert plain.endswith(b"\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
    assert declared.endswith(b"\r\n\r\nhello")
    assert head.endswith(b"\r\n\r\n")
    assert old.endswith(b"\r\n\r\nhello")
    assert all(b"x-sum:" not in data for data in (plain, declared, head, old))


def test_trailers_end_the_stream_of_http_2() -> None:
    with hosting(summing(b"he", b"llo")) as rig, Client(rig.port) as client:
        taken = client.get("/", [("te", "trailers")])
        declared = client.get("/declared", [("te", "trailers")])
        dropped = client.get("/")
    fields = [("x-sum", "5"), ("x-last", "yes")]
    assert [answer.trailers for answer in (taken, declared, dropped)] == [fields, fields, []]
    assert all(answer.body == b"hello" and answer.ended for answer in (taken, declared, dropped))


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"headers": [(b"content-length", b"5")]}, "cannot be a trailer field"),
        ({"headers": [(b"Set-Cookie", b"a=b")]}, "cannot be a trailer field"),
        ({"headers": [(b"a b", b"c")]}, "token"),
        ({"headers": [(b"a", b"b\r\nc: d")]}, "CR"),
        ({"headers": [("a", b"b")]}, "the name of a trailer field is bytes"),
        (None, "before its answer was complete"),
        ({"type": "http.response.body", "body": b"more"}, "behind the end"),
    ],
)
def test_trailers_that_break_a_rule_cut_the_answer_short(
    message: Message | None, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(PROMISE)
        await send({"type": "http.response.body", "body": b"hello"})
        if message is not None:
            await send({"type": "http.response.trailers", **message})

    with hosting(app) as rig:
        data = said(rig, TAKES.format(""))
    assert data.endswith(b"5\r\nhello\r\n")
    assert says in "\n".join(str(one.exc_info and one.exc_info[1]) for one in caplog.records)


def test_nothing_is_taken_behind_the_trailers(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await summing(b"hello")(scope, receive, send)
        await send({"type": "http.response.trailers"})

    with hosting(app) as rig:
        assert ask(rig)[2] == b"hello"
    assert "behind the end" in str(caplog.records[-1].exc_info)


@pytest.mark.parametrize("length", [b"2", b"400000"])
def test_a_stream_of_another_length_than_it_said_is_cut_short(
    length: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", length)],
            }
        )
        for more in (True, True, False):
            await send({"type": "http.response.body", "body": b"xx", "more_body": more})

    with hosting(app) as rig:
        with rig.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            data = b""
            while piece := connection.recv(1000):
                data += piece
    assert len(data.partition(b"\r\n\r\n")[2]) in (2, 6)
    assert "Content-Length" in caplog.text


def test_what_is_raised_before_an_answer_is_500_and_behind_one_is_told_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/late":
            await whole(send, b"fine")
        raise LookupError(scope["path"])

    with hosting(app) as rig:
        assert ask(rig, target="/early")[0] == 500
        assert ask(rig, target="/late")[::2] == (200, b"fine")
    assert [str(one.exc_info[1]) for one in caplog.records if one.exc_info] == ["/early", "/late"]


def test_a_head_request_has_the_fields_and_no_body() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = b"hello" if scope["path"] == "/body" else b""
        await whole(send, body, (b"content-length", b"5"))

    with hosting(app) as rig:
        for target in ("/body", "/none"):
            status, fields, body = ask(rig, "HEAD", target)
            assert (status, fields["content-length"], body) == (200, "5", b"")


def test_an_answer_without_content_has_none() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": int(scope["path"][1:])})
        await send({"type": "http.response.body", "body": b"not sent"})

    with hosting(app) as rig:
        for status in (204, 304):
            assert ask(rig, target=f"/{status}")[::2] == (status, b"")


def test_a_file_is_sent_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    file.write_bytes(b"0123456789" * 100_000)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.pathsend", "path": str(file)})

    with hosting(app) as rig:
        status, fields, body = ask(rig)
        assert (status, fields["content-length"]) == (200, "1000000")
        assert body == file.read_bytes()
        assert ask(rig, "HEAD")[2] == b""


def test_links_are_hinted_early() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]})
        await whole(send, b"x")

    with hosting(app) as rig, rig.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        data = b""
        while piece := connection.recv(1000):
            data += piece
    assert data.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n")


def test_requests_of_one_connection_are_answered_in_order() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await asyncio.sleep(0.01)
        await whole(send, scope["path"].encode())

    with hosting(app) as rig:
        wire = b"".join(
            b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % path
            for path in (b"/slow", b"/one", b"/slow", b"/two")
        )
        data = rig.talk(wire)
    assert data.index(b"/slow") < data.index(b"/one") < data.rindex(b"/slow") < data.index(b"/two")


def test_a_client_that_sends_no_more_is_still_answered() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.02)
        await whole(send, b"late")

    with hosting(app) as rig:
        assert rig.talk(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").endswith(b"late")


def test_a_body_that_nobody_reads_does_not_hold_up_the_answer() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await whole(send, b"no need")

    with hosting(app) as rig, rig.connect() as connection:
        send(connection, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\n")
        assert b"no need" in connection.recv(1000)


def test_a_body_that_nobody_reads_stays_with_its_client() -> None:
    release = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        loops.append(asyncio.get_running_loop())
        await release.wait()
        await whole(send)

    with hosting(app) as rig, rig.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 900000000\r\n\r\n")
        assert send_until_full(connection, b"x" * 65_536) < 100_000_000
        loops[0].call_soon_threadsafe(release.set)


def test_a_callable_that_is_no_coroutine_function_runs_in_its_task() -> None:
    class Wrapper:
        def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            assert asyncio.current_task() is not None
            return whole(send, b"wrapped")

    with serving_all(Wrapper()) as rig:
        assert ask(rig)[2] == b"wrapped"


# -- lifespans


def test_start_and_stop_are_told_once_and_requests_have_a_copy_of_the_state() -> None:
    told: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            told.append((await receive())["type"])
            scope["state"]["number"] = 1
            await send({"type": "lifespan.startup.complete"})
            told.append((await receive())["type"])
            await send({"type": "lifespan.shutdown.complete"})
            return
        told.append(scope["state"]["number"])
        scope["state"]["number"] = 2
        await whole(send)

    with serving_all(app) as rig:
        ask(rig)
        ask(rig)
    assert told == ["lifespan.startup", 1, 1, "lifespan.shutdown"]


def test_a_start_that_fails_ends_the_start(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def start() -> None:
        async with GuestService(Guest(app, "asgi"), mode="production").lifespan():
            raise AssertionError("it must not serve")

    with pytest.raises(RuntimeError, match="has failed to start"):
        asyncio.run(start())
    assert "no database" in caplog.text


def test_an_application_that_knows_no_lifespans_is_served(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await whole(send, b"served")

    with serving_all(app) as rig:
        assert ask(rig)[2] == b"served"
    assert caplog.text == ""


def test_of_an_answer_to_head_without_a_length_none_is_told() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await whole(send)

    with hosting(app) as rig:
        assert "content-length" not in ask(rig, "HEAD")[1]
        assert ask(rig)[1]["content-length"] == "0"


def test_what_waits_for_a_client_that_is_answered_is_collected() -> None:
    gone: list[bool] = []

    class Witness:
        def __del__(self) -> None:
            gone.append(True)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def wait(_witness: Witness) -> None:
            await receive()
            await receive()

        # It waits for a client that is told of a failure by others; the task, what it waits for and the exchange know each other.
        task = asyncio.ensure_future(wait(Witness()))
        await asyncio.sleep(0)
        assert not task.done()
        # The log keeps the exception, and that keeps this frame.
        del task
        raise ValueError("no")

    def is_gone() -> bool:
        gc.collect()
        return bool(gone)

    with hosting(app) as rig:
        assert ask(rig)[0] == 500
        until(is_gone)


@pytest.mark.parametrize("kind", ["receive", "turn"])
def test_the_collector_looks_into_what_an_application_is_given(kind: str) -> None:
    looked: list[set[str]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        turn = receive()
        known = gc.get_referents(receive if kind == "receive" else turn)
        looked.append({type(each).__name__ for each in known})
        turn.close()  # type: ignore[attr-defined]  # it is a coroutine in what it can do
        await whole(send)

    with hosting(app) as rig:
        ask(rig)
    assert "AsgiSend" in looked[0]
