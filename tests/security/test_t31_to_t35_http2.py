"""T31 to T35: what HTTP/2 lets a client ask for cheaply is counted, and a client that asks too often is sent away.

Each limit is tried at its last value and one past it. What ends a connection says so with GOAWAY and ENHANCE_YOUR_CALM, or with the
error that RFC 9113 has for it, and costs nobody else anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator

import pytest

from kingpost import App, BodyStream, Request
from tests.conformance.http2.client import GET, HEAD, Client, Raw, frame, literal
from tests.security.rig import Rig, busy_share, serving
from tests.waiting import until

DATA, HEADERS, PRIORITY, RESET, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    0, 1, 2, 3, 4, 6, 7, 8, 9,
)  # fmt: skip
END_STREAM, END_HEADERS, PADDED = 1, 4, 8
CALM, PROTOCOL = 11, 1
LIMIT = 20
"""Resets and empty frames; the default is 100."""
CONTROL = 50
POST = literal({**GET, ":method": "POST"})


def make() -> App:
    """An App that answers at once, later, and never."""
    app = App()

    @app.get("/")
    async def home() -> str:
        return "home"

    @app.post("/")
    async def post(request: Request) -> int:
        return len(request.body)

    @app.get("/never")
    async def never() -> str:
        await asyncio.sleep(3_600)
        return "never"

    @app.get("/endless")
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(10_000)

    @app.post("/unread")
    async def unread(body: BodyStream) -> str:
        await asyncio.sleep(3_600)
        return "never"

    return app


@pytest.fixture(scope="module")
def rig() -> Generator[Rig]:
    """A server with limits that are soon reached."""
    limits = {"http2_resets": LIMIT, "http2_empty": LIMIT, "http2_control": CONTROL}
    with serving(make(), limits=limits) as rig:
        yield rig
        rig.until_idle()


def went_away(client: Raw) -> int:
    """The error with which the server ends the connection, which it does."""
    client.until_closed()
    (end,) = (frame for frame in client.frames if frame.kind == GOAWAY)
    return int.from_bytes(end.content[4:8], "big")


def is_served(client: Raw) -> bool:
    """Whether the connection still answers a ping."""
    before = client.kinds.count(PING)
    client.send(frame(PING, 0, 0, b"12345678"))
    while client.kinds.count(PING) == before and not client.closed:
        client.receive()
    return client.kinds.count(PING) > before


def others_are_served(rig: Rig) -> bool:
    """Whether another client is answered."""
    with Client(rig.port) as client:
        return client.get("/").body == b"home"


# -- T31: resets (CVE-2023-44487)


@pytest.mark.parametrize("path", ["/", "/never"])
def test_a_client_that_resets_what_it_asks_for_is_sent_away(rig: Rig, path: str) -> None:
    head = literal({**GET, ":path": path})
    rapid = [
        frame(HEADERS, END_HEADERS | END_STREAM, stream, head) + frame(RESET, 0, stream, bytes(4))
        for stream in range(1, 2 * LIMIT, 2)
    ]
    with Raw(rig.port) as client:
        client.send(b"".join(rapid))
        assert is_served(client)
        last = 2 * LIMIT - 1
        client.send(
            frame(HEADERS, END_HEADERS | END_STREAM, last + 2, head)
            + frame(RESET, 0, last + 2, bytes(4))
        )
        assert went_away(client) == CALM
    until(lambda: rig.server.in_flight == 0)
    assert others_are_served(rig)


def test_of_a_hundred_thousand_resets_only_the_first_reach_a_handler() -> None:
    asked = 0
    app = App()

    @app.get("/")
    async def home() -> str:
        nonlocal asked
        asked += 1
        return "home"

    rapid = b"".join(
        frame(HEADERS, END_HEADERS | END_STREAM, stream, HEAD) + frame(RESET, 0, stream, bytes(4))
        for stream in range(1, 200_001, 2)
    )
    with serving(app, limits={"http2_resets": LIMIT}) as rig:
        with Raw(rig.port) as client:
            client.send(rapid)
            # What it goes on sending makes the system drop our last words.
            client.until_closed()
        rig.until_idle()
        assert asked <= LIMIT + 1


# -- T32: resets that the server is made to send (CVE-2025-8671)


def test_a_client_that_makes_the_server_reset_streams_is_sent_away(rig: Rig) -> None:
    with Raw(rig.port) as client:
        for stream in range(1, 2 * LIMIT + 8, 2):
            client.send(frame(HEADERS, END_HEADERS, stream, POST))
            # Zero is no increment (RFC 9113 section 6.9).
            client.send(frame(WINDOW_UPDATE, 0, stream, bytes(4)))
        assert went_away(client) in (CALM, PROTOCOL)
        assert client.kinds.count(RESET) <= LIMIT + 1
    until(lambda: rig.server.in_flight == 0)


# -- T33: heads without end (RUSTSEC-2024-0332)


def test_a_head_that_never_ends_is_ended(rig: Rig) -> None:
    with Raw(rig.port) as client:
        client.send(frame(HEADERS, END_STREAM, 1, HEAD))
        piece = literal({"x-more": "x" * 100}) * 100
        for _ in range(200):
            client.send(frame(CONTINUATION, 0, 1, piece))
        client.until_closed()
    assert others_are_served(rig)


def test_continuations_without_content_are_counted(rig: Rig) -> None:
    for count in (5, LIMIT + 1):
        with Raw(rig.port) as client:
            client.send(frame(HEADERS, END_STREAM, 1, HEAD))
            client.send(frame(CONTINUATION, 0, 1) * count)
            if count <= LIMIT:
                client.send(frame(CONTINUATION, END_HEADERS, 1))
                client.until(HEADERS)
            else:
                # Those whose number the frames themselves bound end earlier, with a word of their own.
                client.until_closed()


def test_fields_that_grow_when_unpacked_are_refused(rig: Rig) -> None:
    # One large field in the table, named by a byte each (a bomb): 4,000 bytes of head are 16 MB of fields.
    large = b"\x40\x06x-bomb\x7f\xa0\x1e" + b"x" * 3_999
    with Raw(rig.port) as client:
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, HEAD + large))
        client.until(HEADERS)
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, HEAD + b"\xbe" * 4_000))
        while not client.closed and not any(frame.stream == 3 for frame in client.frames):
            client.receive()
    assert others_are_served(rig)


# -- T34: frames without content (RUSTSEC-2026-0258)


@pytest.mark.parametrize("empty", [(0, b""), (PADDED, b"\x05" + bytes(5))])
def test_data_frames_without_content_are_counted(rig: Rig, empty: tuple[int, bytes]) -> None:
    flags, content = empty
    for count in (LIMIT, LIMIT + 1):
        with Raw(rig.port) as client:
            client.send(frame(HEADERS, END_HEADERS, 1, POST))
            client.send(frame(DATA, flags, 1, content) * count)
            if count == LIMIT:
                client.send(frame(DATA, END_STREAM, 1))
                assert client.until(DATA).content == b"0"
            else:
                assert went_away(client) == CALM


# -- T35: frames that speak of the connection (CVE-2019-9511 to 9518)


@pytest.mark.parametrize(
    "control",
    [
        frame(PING, 0, 0, bytes(8)),
        frame(SETTINGS),
        frame(PRIORITY, 0, 1, b"\0\0\0\3\x10"),
        frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1"),
        frame(0xF0, 0, 0, b"whatever"),
    ],
    ids=["ping", "settings", "priority", "window-update", "unknown"],
)
def test_frames_about_the_connection_are_counted(rig: Rig, control: bytes) -> None:
    # The settings with which a client begins, its word on ours, and the ping that asks whether it is served count as well; what the server
    # sends meanwhile earns none.
    with Raw(rig.port) as client:
        client.send(control * (CONTROL - 3))
        assert is_served(client)
        client.send(control)
        assert went_away(client) == CALM


def test_a_client_that_takes_no_answers_to_its_pings_is_not_read(rig: Rig) -> None:
    with serving(make(), limits={"http2_control": 1_000_000, "write_timeout": 1_000}) as other:
        with Raw(other.port) as client:
            sent = 0
            pings = frame(PING, 0, 0, bytes(8)) * 1_000
            try:
                while sent < 100_000_000:
                    sent += client.socket.send(pings)
            except OSError:
                pass
            assert sent < 100_000_000
        other.until_idle()


@pytest.mark.parametrize("window", [0, 1])
def test_an_answer_that_is_not_taken_is_given_up(window: int) -> None:
    with serving(make(), limits={"write_timeout": 300}) as rig:
        with Raw(rig.port) as client:
            # SETTINGS_INITIAL_WINDOW_SIZE
            client.send(frame(SETTINGS, 0, 0, b"\0\4" + window.to_bytes(4, "big")))
            for stream, path in ((1, "/"), (3, "/endless")):
                head = literal({**GET, ":path": path})
                client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, head))
            while client.kinds.count(RESET) < 2 and not client.closed:
                client.receive()
            assert {frame.stream for frame in client.frames if frame.kind == RESET} == {1, 3}
            assert rig.server.connections == 1
        rig.until_idle()


def test_what_nobody_reads_is_not_sent_for(rig: Rig) -> None:
    with Raw(rig.port) as client:
        for stream in (1, 3):
            head = literal({**GET, ":method": "POST", ":path": "/unread"})
            client.send(frame(HEADERS, END_HEADERS, stream, head))
        for stream in (1, 3):
            client.send(frame(DATA, 0, stream, bytes(16_384)) * 4)
        assert is_served(client)
        assert not any(frame.kind == WINDOW_UPDATE and frame.stream for frame in client.frames)
        # One byte more than the window is an error of the stream, or of the connection.
        client.send(frame(DATA, 0, 1, b"x"))
        while not client.closed and not {RESET, GOAWAY} & set(client.kinds):
            client.receive()


def test_bodies_that_are_gathered_side_by_side_are_bounded() -> None:
    app = App()

    @app.post("/", max_body=10_000_000)
    async def post(request: Request) -> int:
        return len(request.body)

    with serving(app, limits={"http2_bodies": 100_000}) as rig, Client(rig.port) as client:
        first = client.ask("/", method="POST", more=True)
        second = client.ask("/", method="POST", more=True)
        client.send(first, bytes(60_000), end=False)
        client.send(second, bytes(40_000), end=False)
        client.send(second, b"x", end=False)

        assert client.answer(second).status == 413
        client.send(first, bytes(30_000))
        assert client.answer(first).body == b"90000"


# -- time


def test_a_head_that_is_never_ended_is_given_up() -> None:
    with serving(make(), limits={"head_timeout": 300}) as rig, Raw(rig.port) as client:
        client.send(frame(HEADERS, END_STREAM, 1, HEAD))
        client.until_closed()


def test_a_connection_that_asks_nothing_is_closed() -> None:
    with serving(make(), limits={"head_timeout": 300}) as rig, Raw(rig.port) as client:
        assert went_away(client) == 0
    with serving(make(), limits={"idle_timeout": 300}) as rig, Raw(rig.port) as client:
        client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, HEAD))
        client.until(HEADERS)
        assert went_away(client) == 0


def test_a_body_that_does_not_come_is_given_up_and_the_connection_goes_on() -> None:
    with serving(make(), limits={"body_timeout": 300}) as rig, Client(rig.port) as client:
        late = client.ask("/", method="POST", more=True)
        assert client.answer(late).status == 408
        assert client.get("/").body == b"home"


def test_an_idle_connection_costs_no_processor_time(rig: Rig) -> None:
    with Client(rig.port) as client:
        client.ask("/never")
        client.get("/")
        until(lambda: busy_share() < 0.1)
