"""T36, T43, T46 and T69: what a client of a WebSocket may do to its server, and whose page may open one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator

import pytest

from kingpost import App, WebSocket
from tests.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    KEY,
    PING,
    TEXT,
    Client,
    connected,
    frame,
    frames_of,
    handshake,
    packed,
)
from tests.security.rig import SHELLS, Driver, Rig, serving, talk

MEBIBYTE = 1024 * 1024
app = App()


@app.websocket("/text")
async def texts(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message)


@app.websocket("/bytes")
async def bytes_of(ws: WebSocket[bytes, bytes]) -> None:
    async for message in ws:
        await ws.send(message)


@pytest.fixture(scope="module", params=SHELLS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    driver: Driver = request.param
    with serving(app, driver=driver) as rig:
        yield rig


def run(
    rig: Rig, talk: Callable[[Client], Awaitable[None]], path: str = "/bytes", **fields: str | None
) -> None:
    async def main() -> None:
        async with connected(rig.port, path, request=handshake(path, **fields)) as client:
            assert client.status == 101, client.head
            await talk(client)

    asyncio.run(main())
    # It serves the others.
    assert rig.get("/text").status == 426


def closes_with(rig: Rig, code: int, *sent: bytes, fields: dict[str, str] | None = None) -> None:
    data = rig.talk(handshake("/bytes", **(fields or {})) + b"".join(sent), end=False)
    frames = frames_of(data.partition(b"\r\n\r\n")[2])
    assert [each.code for each in frames if each.opcode == CLOSE] == [code]
    assert rig.get("/text").status == 426


DEFLATE = {"sec_websocket_extensions": "permessage-deflate"}


def test_a_million_tiny_fragments_are_refused_at_the_limit(rig: Rig) -> None:
    piece = frame(CONTINUATION, b"x", last=False)
    begin = frame(BINARY, b"x", last=False)

    async def whole(client: Client) -> None:
        client.send(begin, piece * 1_022, frame(CONTINUATION, b"x"))
        assert (await client.read()).payload == b"x" * 1_024

    run(rig, whole)
    closes_with(rig, 1008, begin, piece * 1_023, frame(CONTINUATION))
    # Who goes on may find the connection reset before that is said.
    rig.talk(handshake("/bytes"), begin + piece * 1_000_000, end=False)
    assert rig.get("/text").status == 426


def test_a_length_that_is_only_declared_costs_nothing(rig: Rig) -> None:
    for length in (MEBIBYTE + 1, 2**32, 2**63 - 1):
        closes_with(rig, 1009, frame(BINARY, b"", length=length))
    closes_with(
        rig, 1009, frame(BINARY, b"x" * MEBIBYTE, last=False), frame(CONTINUATION, b"", length=1)
    )


def test_a_message_that_unpacks_to_too_much_is_refused(rig: Rig) -> None:
    closes_with(rig, 1009, frame(BINARY, packed(bytes(64 * MEBIBYTE)), reserved=4), fields=DEFLATE)
    # A hundred times what was sent, and more than that.
    closes_with(rig, 1009, frame(BINARY, packed(bytes(512 * 1024)), reserved=4), fields=DEFLATE)

    async def modest(client: Client) -> None:
        client.send(frame(BINARY, packed(bytes(64 * 1024)), reserved=4))
        assert (await client.read()).opcode == BINARY

    run(rig, modest, **DEFLATE)


def test_a_flood_of_pings_ends(rig: Rig) -> None:
    closes_with(rig, 1008, frame(PING, b"x" * 9) * 1_001)


def test_a_handshake_is_as_large_as_any_head(rig: Rig) -> None:
    for field in ("sec_websocket_protocol", "sec_websocket_extensions", "sec_websocket_key"):

        async def main(field: str = field) -> None:
            async with connected(
                rig.port, request=handshake("/text", **{field: "a," * 10_000})
            ) as client:
                assert client.status == 431

        asyncio.run(main())


@pytest.mark.parametrize("length", [*range(70), 125, 126, 127, 1_000, 65_535, 65_536, 65_537])
def test_a_mask_is_taken_off_at_every_length_and_alignment(rig: Rig, length: int) -> None:
    async def masks(client: Client) -> None:
        data = os.urandom(length)
        # A ping before it moves the message about in the server's buffer.
        for before in range(8 if length < 70 else 3):
            key = os.urandom(4)
            client.send(frame(PING, b"x" * before), frame(BINARY, data, mask=key))
            assert (await client.read()).payload == b"x" * before
            assert (await client.read()).payload == data

    run(rig, masks)


HANDSHAKE = {
    "host": b"a",
    "upgrade": b"websocket",
    "connection": b"Upgrade",
    "origin": b"http://a",
    "sec-websocket-key": KEY.encode(),
    "sec-websocket-version": b"13",
    "sec-websocket-protocol": b"chat, superchat",
    "sec-websocket-extensions": b"permessage-deflate; client_max_window_bits",
}


@pytest.mark.parametrize("field", HANDSHAKE)
def test_a_field_of_a_handshake_may_hold_any_byte(rig: Rig, field: str) -> None:
    right = HANDSHAKE[field]
    statuses: set[int] = set()
    for byte in range(256):
        value = bytes([byte])
        for text in (value, right + value, right[:1] + value + right[1:]):
            lines = b"".join(
                b"%s: %s\r\n" % (name.encode(), text if name == field else usual)
                for name, usual in HANDSHAKE.items()
            )
            with rig.connect() as connection:
                data = talk(connection, b"GET /text HTTP/1.1\r\n" + lines + b"\r\n")
            head = data.partition(b"\r\n\r\n")[0]
            status = int(data.split()[1])
            statuses.add(status)
            assert status in {101, 400, 403, 426, 431}, (field, text, data)
            # Nothing of it begins a line of its own.
            names = {line.partition(b":")[0] for line in head.split(b"\r\n")[1:]}
            assert names <= {
                b"connection", b"content-length", b"content-type", b"date", b"sec-websocket-accept",
                b"sec-websocket-extensions", b"sec-websocket-version", b"upgrade", b"vary",
                b"x-content-type-options", b"x-request-id",
            }, (field, text, head)  # fmt: skip
    assert 101 in statuses
    assert rig.get("/text").status == 426


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101),
        ("http://x", 101),
        ("https://x", 101),
        ("HTTP://X", 101),
        ("http://evil.org", 403),
        ("http://x.evil.org", 403),
        ("http://x:81", 403),
        ("http://evil.org/http://x", 403),
        ("null", 403),
        ("", 403),
        ("x", 403),
    ],
)
def test_a_page_of_another_host_opens_no_websocket(
    rig: Rig, origin: str | None, status: int
) -> None:
    async def main() -> None:
        async with connected(rig.port, "/text", origin=origin) as client:
            assert client.status == status, client.head
            if status == 101:
                client.send(frame(TEXT, b"hello"))
                assert await client.text_of() == "hello"

    asyncio.run(main())
