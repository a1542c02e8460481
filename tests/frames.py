"""A WebSocket client in bytes: it sends what it is told to, right or wrong, and reads frames as they are."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import zlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from tests.waiting import PATIENCE

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@dataclass(frozen=True)
class Frame:
    """One frame of the server."""

    opcode: int
    payload: bytes
    is_last: bool = True
    is_compressed: bool = False

    @property
    def code(self) -> int:
        """Of a close frame."""
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2], "big") if self.payload else 1005

    @property
    def reason(self) -> str:
        return self.payload[2:].decode()


def handshake(path: str = "/", **changes: str | None) -> bytes:
    """A request for WebSocket; fields by their names with underscores, None leaves one out."""
    fields: dict[str, str | None] = {
        "host": "x",
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": KEY,
        **changes,
    }
    lines = [
        f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None
    ]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def masked(data: bytes, key: bytes) -> bytes:
    repeated = (key * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(
        len(data), "big"
    )


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    last: bool = True,
    reserved: int = 0,
    mask: bytes | None = b"\x11\x7f\x80\xfe",
    length: int | None = None,
) -> bytes:
    """A frame of a client; `length` is what it says of itself, where that is not the truth."""
    size = len(payload) if length is None else length
    first = (0x80 if last else 0) | reserved << 4 | opcode
    bit = 0x80 if mask is not None else 0
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    return (
        head
        + (b"" if mask is None else mask + masked(payload, mask))
        + (payload if mask is None else b"")
    )


def packed(data: bytes) -> bytes:
    """A payload as permessage-deflate has it."""
    squeeze = zlib.compressobj(wbits=-15)
    return (squeeze.compress(data) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]


def unpacked(data: bytes) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(data + b"\0\0\xff\xff")


def frames_of(data: bytes) -> list[Frame]:
    """The whole frames of a server in what it sent."""
    frames: list[Frame] = []
    while len(data) >= 2:
        size, start = data[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            break
        frames.append(
            Frame(
                data[0] & 15, data[start : start + size], bool(data[0] & 0x80), bool(data[0] & 0x40)
            )
        )
        data = data[start + size :]
    return frames


def closing(code: int, reason: str = "") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode())


class Client:
    """One connection behind its handshake."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.head = head

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    def field(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            held, _, value = line.partition(": ")
            if held == name:
                return value
        return None

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    def text(self, text: str) -> None:
        self.send(frame(TEXT, text.encode()))

    async def read(self) -> Frame:
        """The next frame."""
        async with asyncio.timeout(PATIENCE):
            first, second = await self.reader.readexactly(2)
            assert not second & 0x80, "a server masks nothing"
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            payload = await self.reader.readexactly(size)
        return Frame(first & 15, payload, bool(first & 0x80), bool(first & 0x40))

    async def text_of(self) -> str:
        read = await self.read()
        assert read.opcode == TEXT, read
        return (unpacked(read.payload) if read.is_compressed else read.payload).decode()

    async def rest(self) -> bytes:
        """What comes until the server closes."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE)


@contextlib.asynccontextmanager
async def connected(
    port: int, path: str = "/", *, request: bytes | None = None, **changes: str | None
) -> AsyncGenerator[Client]:
    """A client whose handshake was answered, one way or the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    try:
        writer.write(handshake(path, **changes) if request is None else request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        yield Client(reader, writer, head)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
