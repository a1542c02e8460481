"""WebSockets of the App on other people's servers, over sockets, with a client in bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator

import pytest

from tests.conformance.hosts.servers import ASGI, Server, running
from tests.frames import BINARY, CLOSE, PING, PONG, Client, Frame, closing, connected, frame
from tests.waiting import PATIENCE, until_async

CODELESS = "hypercorn"
"""It tells of every client that has left that it is gone without a word."""
FIELDLESS = "granian"
"""It leaves out the fields of an accepted handshake."""


@pytest.fixture(scope="module", params=[*ASGI])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    name: str = request.param
    with running(name, ASGI[name], tmp_path_factory.mktemp(name)) as server:
        yield server
    assert server.noted().count("start") == server.noted().count("stop") == 1


def run(what: Callable[[], Coroutine[object, object, None]]) -> None:
    asyncio.run(what())


@contextlib.asynccontextmanager
async def talking(server: Server, path: str, offered: str | None = None) -> AsyncGenerator[Client]:
    host = f"127.0.0.1:{server.port}"
    async with connected(
        server.port, f"/talk/{path}", host=host, sec_websocket_protocol=offered
    ) as client:
        assert client.status == 101, client.head
        yield client


async def message_of(client: Client) -> Frame:
    """The next frame that is no ping of the host's."""
    while (read := await client.read()).opcode == PING:
        client.send(frame(PONG, read.payload))
    return read


def test_texts_come_back(server: Server) -> None:
    async def main() -> None:
        async with talking(server, "texts") as client:
            for text in ("a", "é✓", "", "x" * 70_000):
                client.text(text)
                assert (await message_of(client)).payload.decode() == text
            client.send(closing(1000))
            assert (await message_of(client)).code == 1000

    run(main)


def test_bytes_come_back(server: Server) -> None:
    async def main() -> None:
        async with talking(server, "bytes") as client:
            for data in (b"\xff\x00", b"x" * 70_000):
                client.send(frame(BINARY, data))
                read = await message_of(client)
                assert (read.opcode, read.payload) == (BINARY, data)

    run(main)


def test_pings_are_answered(server: Server) -> None:
    async def main() -> None:
        async with talking(server, "texts") as client:
            client.send(frame(PING, b"there?"))
            assert await message_of(client) == Frame(PONG, b"there?")

    run(main)


def test_a_subprotocol_fields_and_a_code_to_close_with(server: Server) -> None:
    async def main() -> None:
        async with talking(server, "choice?q=1", "a, b") as client:
            fields = {
                name.lower(): value
                for name, _, value in (
                    line.partition(": ") for line in client.head.decode().split("\r\n")
                )
            }
            assert fields["sec-websocket-protocol"] == "b"
            assert fields.get("x-mark") == (None if server.name == FIELDLESS else "1")
            assert (await message_of(client)).payload == b"['a', 'b'] http 127.0.0.1 1"
            close = await message_of(client)
            assert (close.code, close.reason) == (4001, "enough")

    run(main)


@pytest.mark.parametrize(
    ("path", "status", "code"), [("refused", 403, "forbidden"), ("nowhere", 404, "not-found")]
)
def test_a_refusal(server: Server, path: str, status: int, code: str) -> None:
    async def main() -> None:
        host = f"127.0.0.1:{server.port}"
        async with connected(server.port, f"/talk/{path}", host=host) as client:
            assert client.status == status
            length = client.field("content-length")
            assert length is not None
            body = await asyncio.wait_for(client.reader.readexactly(int(length)), PATIENCE)
            assert json.loads(body)["code"] == code

    run(main)


def test_a_page_of_another_site_is_refused(server: Server) -> None:
    async def main() -> None:
        async with connected(
            server.port, "/talk/texts", host="example.org", origin="http://evil.example"
        ) as client:
            assert client.status == 403

    run(main)


def test_a_handler_closes_whose_client_is_silent(server: Server) -> None:
    async def main() -> None:
        async with talking(server, "later") as client:
            assert (await message_of(client)).code == 4002

    run(main)


def test_a_handler_that_fails_closes_with_1011(server: Server) -> None:
    async def main() -> None:
        async with talking(server, "broken") as client:
            assert (await message_of(client)).payload == b"x"
            assert (await message_of(client)).code == 1011

    run(main)


def test_the_limit_of_a_message(server: Server) -> None:
    async def main() -> None:
        async with talking(server, "texts") as client:
            client.text("x" * (1 << 20))
            assert len((await message_of(client)).payload) == 1 << 20
            client.text("x" * ((1 << 20) + 1))
            assert (await message_of(client)).code == 1009

    run(main)


@pytest.mark.parametrize("code", [1000, 4321])
def test_the_handler_hears_how_the_client_left(server: Server, code: int) -> None:
    async def main() -> None:
        async with talking(server, "heard") as client:
            client.text("x")
            await message_of(client)
            client.send(closing(code, "bye"))
            assert (await message_of(client)).opcode == CLOSE
        heard = 1006 if server.name == CODELESS else code
        await until_async(lambda: f"closed-{heard}" in server.noted())

    run(main)


def test_the_handler_hears_of_a_connection_that_is_gone(server: Server) -> None:
    async def main() -> None:
        before = _ends(server)
        async with talking(server, "heard") as client:
            client.text("x")
            await message_of(client)
        await until_async(lambda: _ends(server) > before)

    run(main)


def _ends(server: Server) -> int:
    return sum(note.startswith("closed-") for note in server.noted())


def test_who_sends_without_end_is_ended_with_its_client(server: Server) -> None:
    async def main() -> None:
        before = server.noted().count("much-ended")
        async with talking(server, "much") as client:
            for _ in range(50):
                assert len((await message_of(client)).payload) == 65_536
        await until_async(lambda: server.noted().count("much-ended") > before)

    run(main)


def test_a_channel_reaches_all_who_joined(server: Server) -> None:
    async def main() -> None:
        async with talking(server, "room/a") as one, talking(server, "room/a") as two:
            for client in (one, two):
                assert (await message_of(client)).payload == b"joined"
            one.text("hello")
            for client in (one, two):
                assert (await message_of(client)).payload == b"hello"

    run(main)
