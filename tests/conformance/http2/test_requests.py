"""Requests by HTTP/2: the same handlers as by HTTP/1.1, and what is HTTP/2's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from kingpost import App, BodyStream, Event, FileResponse, HTTPError, Request, Response
from tests.conformance.http2.client import (
    GET,
    HEAD,
    PREFACE,
    SETTINGS,
    Answered,
    Client,
    Raw,
    frame,
    literal,
)
from tests.security.rig import SHELLS, Driver, Rig, send, serving
from tests.waiting import PATIENCE, until

BIG = bytes(range(256)) * 8_192
"""Two MiB: more than any window."""


class Seen:
    """What the handlers of one server saw."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.entered = threading.Event()
        self.together = 0
        self.go_on = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None


def make(folder: Path, seen: Seen) -> App:
    """An App with a route for everything."""
    app = App()
    file = folder / "big.bin"
    file.write_bytes(BIG)

    @app.get("/")
    async def home(request: Request) -> dict[str, str]:
        return {
            "version": request.http_version,
            "host": request.host,
            "cookies": request.headers.get("cookie", ""),
            "query": request.query.get("a", ""),
        }

    @app.post("/length", max_body=4 << 20)
    def length(request: Request) -> int:
        return len(request.body)

    @app.post("/small", max_body=10)
    async def small(request: Request) -> int:
        return len(request.body)

    @app.post("/echo", max_body=4 << 20)
    async def echo(body: BodyStream) -> AsyncIterator[bytes]:
        async for piece in body:
            yield piece

    @app.get("/thread")
    def thread() -> str:
        return "thread"

    @app.get("/big")
    async def big() -> bytes:
        return BIG

    @app.get("/pieces")
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(BIG), 10_000):
            yield BIG[at : at + 10_000]

    @app.get("/events")
    async def events() -> AsyncIterator[Event[str]]:
        for number in range(3):
            await asyncio.sleep(0)
            yield Event(str(number))

    @app.get("/lines")
    def lines() -> Iterator[dict[str, int]]:
        yield from ({"n": number} for number in range(3))

    @app.get("/file")
    async def sent() -> FileResponse:
        return FileResponse(file)

    @app.get("/none")
    async def none() -> None:
        return None

    @app.get("/broken")
    async def broken() -> str:
        raise RuntimeError("as meant")

    @app.get("/teapot")
    async def teapot() -> str:
        raise HTTPError("no coffee", status=418)

    @app.get("/forever")
    async def forever() -> str:
        seen.entered.set()
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            seen.cancelled.set()
            raise
        return "never"

    @app.get("/together")
    async def together() -> str:
        seen.together += 1
        seen.loop = asyncio.get_running_loop()
        if seen.together == 100:
            seen.go_on.set()
        await seen.go_on.wait()
        return "together"

    @app.get("/headers")
    async def headers() -> Response[str]:
        return Response("x", headers={"X-Mixed-Case": "Kept", "x-request-id": "mine"})

    @app.get("/hints")
    async def hints(request: Request) -> str:
        request.early_hints("</style.css>; rel=preload; as=style")
        return "hinted"

    return app


@pytest.fixture(scope="module", params=SHELLS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[tuple[Rig, Seen]]:
    """A server on either shell."""
    seen = Seen()
    driver: Driver = request.param
    with serving(make(tmp_path_factory.mktemp("files"), seen), driver=driver) as rig:
        yield rig, seen


@pytest.fixture
def client(server: tuple[Rig, Seen]) -> Generator[Client]:
    """A connection."""
    with Client(server[0].port) as client:
        yield client


def test_a_get_is_answered_with_what_every_answer_has(client: Client) -> None:
    answer = client.get("/?a=b")

    assert answer.status == 200
    assert answer.get("content-type") == "application/json"
    assert answer.get("content-length") == str(len(answer.body))
    assert answer.get("x-content-type-options") == "nosniff"
    assert answer.get("date")
    assert len(answer.get("x-request-id") or "") == 16
    assert b'"version":"2"' in answer.body
    assert b'"host":"localhost"' in answer.body
    assert b'"query":"b"' in answer.body
    assert answer.get("connection") is None
    assert answer.get("transfer-encoding") is None


def test_the_crumbs_of_cookies_are_one_field(client: Client) -> None:
    answer = client.get("/", [("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")])

    assert b'"cookies":"a=1; b=2; c=3"' in answer.body


def test_fields_of_answers_are_in_lower_case_and_not_doubled(client: Client) -> None:
    answer = client.get("/headers")

    assert answer.get("x-mixed-case") == "Kept"
    assert answer.get("x-request-id") == "mine"


def test_a_body_is_read_on_a_thread(client: Client) -> None:
    assert client.post("/length", b"hello").body == b"5"
    assert client.post("/length", BIG).body == str(len(BIG)).encode()
    assert client.post("/length", b"").body == b"0"


def test_a_body_of_declared_length_is_held_to_it(client: Client) -> None:
    assert client.post("/length", b"hello", [("content-length", "5")]).body == b"5"
    assert client.post("/length", b"hello", [("content-length", "4")]).reset == 1
    assert client.post("/length", b"hello", [("content-length", "6")]).reset == 1
    assert client.get("/").status == 200


def test_a_body_that_is_too_large_is_refused_and_the_connection_goes_on(client: Client) -> None:
    assert client.post("/small", bytes(10)).body == b"10"
    assert client.post("/small", bytes(11)).status == 413
    declared = client.post("/small", bytes(11), [("content-length", "11")])
    assert declared.status == 413
    assert b"http.body-too-large" in declared.body
    assert client.post("/small", bytes(300_000)).status == 413
    assert client.get("/thread").body == b"thread"


def test_a_body_goes_both_ways_at_once(client: Client) -> None:
    stream = client.ask("/echo", method="POST", more=True)
    client.send(stream, b"first", end=False)
    client.until(lambda: client.answers[stream].body == b"first")
    client.send(stream, BIG)

    assert client.answer(stream).body == b"first" + BIG


@pytest.mark.parametrize("path", ["/big", "/pieces", "/file"])
def test_a_large_answer_comes_whole(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status == 200
    assert answer.body == BIG


def test_a_range_of_a_file_comes_alone(client: Client) -> None:
    answer = client.get("/file", [("range", "bytes=100-199999")])

    assert answer.status == 206
    assert answer.body == BIG[100:200_000]


def test_events_and_lines_are_streamed(client: Client) -> None:
    assert client.get("/events").body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert client.get("/lines").body == b'{"n":0}\n{"n":1}\n{"n":2}\n'


@pytest.mark.parametrize("path", ["/", "/big", "/pieces", "/file", "/thread"])
def test_head_has_the_fields_and_no_body(client: Client, path: str) -> None:
    whole, head = client.get(path), client.get(path, method="HEAD")

    assert head.status == 200
    assert head.body == b""
    assert head.get("content-length") == whole.get("content-length")


def test_what_has_no_body_says_no_length(client: Client) -> None:
    answer = client.get("/none")

    assert (answer.status, answer.body, answer.get("content-length")) == (204, b"", None)


def test_early_hints_come_before_the_answer(client: Client) -> None:
    answer = client.get("/hints")

    assert answer.interim == [(103, {"link": "</style.css>; rel=preload; as=style"})]
    assert answer.body == b"hinted"


@pytest.mark.parametrize("path", ["/length", "/echo"])
def test_a_client_that_waits_to_send_its_body_is_told(client: Client, path: str) -> None:
    fields = [("expect", "100-continue"), ("content-length", "5")]
    stream = client.ask(path, fields, method="POST", more=True)
    answer = client.answers[stream]
    client.until(lambda: answer.interim)
    client.send(stream, b"hello")

    assert client.answer(stream).body in (b"5", b"hello")
    assert answer.interim == [(100, {})]


def test_a_client_that_is_refused_is_not_told_to_send(client: Client) -> None:
    fields = [("expect", "100-continue"), ("content-length", "11")]
    answer = client.answer(client.ask("/small", fields, method="POST", more=True))

    assert (answer.status, answer.interim) == (413, [])


def test_errors_are_answers(client: Client) -> None:
    assert client.get("/nowhere").status == 404
    assert client.get("/teapot").status == 418
    assert client.get("/broken").status == 500
    assert client.get("/", method="DELETE").status == 405
    assert client.get("/").status == 200


def test_a_hundred_requests_are_answered_side_by_side(
    server: tuple[Rig, Seen], client: Client
) -> None:
    seen = server[1]
    seen.together = 0
    streams = [client.ask("/together") for _ in range(100)]

    assert [client.answer(stream).body for stream in streams] == [b"together"] * 100


def test_one_stream_more_is_refused_and_may_be_asked_again(client: Client) -> None:
    # The client would not send it: it has been told.
    client.http.remote_settings.max_concurrent_streams = 1_000
    streams = [client.ask("/forever") for _ in range(100)]
    refused = client.answer(client.ask("/"))

    assert refused.reset == 7
    client.http.reset_stream(streams[0], error_code=8)
    client.flush()
    assert client.get("/").status == 200


def test_a_request_that_is_reset_cancels_its_handler(
    server: tuple[Rig, Seen], client: Client
) -> None:
    seen = server[1]
    seen.cancelled.clear()
    seen.entered.clear()
    stream = client.ask("/forever")
    assert seen.entered.wait(PATIENCE)
    client.http.reset_stream(stream, error_code=8)
    client.flush()

    assert seen.cancelled.wait(PATIENCE)
    assert client.get("/").status == 200


def test_a_client_that_leaves_cancels_its_handlers(server: tuple[Rig, Seen]) -> None:
    rig, seen = server
    seen.cancelled.clear()
    seen.entered.clear()
    with Client(rig.port) as client:
        client.ask("/forever")
        assert seen.entered.wait(PATIENCE)

    assert seen.cancelled.wait(PATIENCE)
    until(lambda: rig.server.in_flight == 0)


def test_an_answer_waits_for_the_clients_window(server: tuple[Rig, Seen]) -> None:
    with Client(server[0].port, window=4_000, reads=False) as client:
        slow = client.ask("/pieces")
        file = client.ask("/file")
        client.until(
            lambda: len(client.answers[slow].body) == len(client.answers[file].body) == 4_000
        )
        assert client.get("/thread").body == b"thread"
        client.reads = True
        for stream in (slow, file):
            client.http.acknowledge_received_data(4_000, stream)
        client.flush()

        assert client.answer(slow).body == BIG
        assert client.answer(file).body == BIG


def test_nobody_may_send_more_than_is_read(server: tuple[Rig, Seen], client: Client) -> None:
    stream = client.ask("/forever", method="GET", more=True)
    client.until(lambda: client.http.local_flow_control_window(stream) == 65_536)


def test_trailers_of_a_request_are_judged_and_dropped(client: Client) -> None:
    for name, status in (("x-checksum", 200), ("content-length", 400)):
        stream = client.ask("/length", method="POST", body=b"hello", more=True)
        client.http.send_headers(stream, [(name, "5")], end_stream=True)
        client.flush()

        assert client.answer(stream).status == status


@pytest.mark.parametrize(
    ("pseudo", "status"),
    [
        ({":authority": "a b"}, None),
        ({":authority": "user@localhost"}, 400),
        ({":scheme": "ftp"}, 400),
        ({":path": "nowhere"}, None),
        ({":path": "*"}, 400),
        ({":method": "CONNECT x"}, None),
        ({"host": "elsewhere"}, 400),
        ({"host": "LOCALHOST"}, 200),
        ({"connection": "close"}, None),
        ({"te": "gzip"}, None),
        ({"te": "trailers"}, 200),
        ({"transfer-encoding": "chunked"}, None),
        ({"content_length": "5"}, 400),
        ({"content-type": "a/b", "Content-Type": "c/d"}, None),
        ({"x-long": "x" * 9_000}, 431),
        ({"x-long": "x" * 8_000}, 200),
    ],
)
def test_a_head_is_judged_as_one_of_http_1(
    server: tuple[Rig, Seen], pseudo: dict[str, str], status: int | None
) -> None:
    with Client(server[0].port) as client:
        client.http.config.validate_outbound_headers = False
        client.http.config.normalize_outbound_headers = False
        fields = {
            ":method": "GET",
            ":scheme": "http",
            ":authority": "localhost",
            ":path": "/",
            **pseudo,
        }
        stream = client.http.get_next_available_stream_id()
        answer = client.answers[stream] = Answered()
        client.http.send_headers(stream, list(fields.items()), end_stream=True)
        client.flush()
        client.until(
            lambda: answer.ended or answer.reset is not None or client.went_away is not None
        )

        if status is None:
            assert answer.reset == 1 or client.went_away == 1
        else:
            assert answer.status == status


def test_a_head_that_is_too_large_is_refused(client: Client) -> None:
    many = [(f"x-{number}", "x" * 300) for number in range(99)]
    assert client.get("/", [*many, ("x-last", "x" * 3_000)]).status == 431
    assert client.get("/", many[:80]).status == 200
    assert client.get("/", [(f"x-{number}", "x") for number in range(101)]).status == 431


def test_push_is_never_used_and_priorities_are_taken(client: Client) -> None:
    stream = client.ask("/", [("priority", "u=1, i")])
    client.http.prioritize(stream + 2, weight=1, depends_on=stream)

    assert client.answer(stream).status == 200


def test_http_1_is_served_on_the_same_port(server: tuple[Rig, Seen]) -> None:
    (answer,) = server[0].ask(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")

    assert b'"version":"1.1"' in answer.body


def test_the_preface_may_come_byte_by_byte(server: tuple[Rig, Seen]) -> None:
    with server[0].connect() as connection:
        request = PREFACE + SETTINGS + frame(1, 0x5, 1, HEAD)
        send(connection, *(bytes([byte]) for byte in request))
        data = b""
        while b'{"version":"2"' not in data:
            piece = connection.recv(65_536)
            assert piece, data
            data += piece


def test_a_server_of_one_version_speaks_no_other(tmp_path: Path) -> None:
    app = make(tmp_path, Seen())
    with serving(app, http="1") as rig:
        answered = rig.talk(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert answered.startswith(b"HTTP/1.1 505 ")
    with serving(app, http="2") as rig:
        assert not rig.talk(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").startswith(b"HTTP/1")
        with Client(rig.port) as client:
            assert client.get("/").status == 200


def test_a_stop_says_goodbye_and_finishes_what_is_in_flight(tmp_path: Path) -> None:
    seen = Seen()
    seen.together = 98
    with serving(make(tmp_path, seen)) as rig, Raw(rig.port) as client:
        client.send(frame(1, 0x5, 1, literal({**GET, ":path": "/together"})))
        until(lambda: seen.together == 99)
        rig.worker.stop()
        ping = client.until(6)
        assert client.kinds.count(7) == 1
        client.send(frame(6, 1, 0, ping.content))
        client.until(7)
        # What comes behind that is not even looked at.
        client.send(frame(1, 0x5, 3, HEAD))
        assert seen.loop is not None
        seen.loop.call_soon_threadsafe(seen.go_on.set)

        assert client.until(0).content == b"together"
        client.until_closed()
        assert client.kinds.count(1) == 1
        assert {frame.content[4:8] for frame in client.frames if frame.kind == 7} == {bytes(4)}
