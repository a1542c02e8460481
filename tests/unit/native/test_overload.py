"""More requests than are worked on at once: `in_flight`, at the limit and one past it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.waiting import until_async

from .service import Route, Service, serving


class Door:
    """Handlers that wait until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    async def wait(self) -> str:
        await self.opened.wait()
        return "ok"

    async def stream(self) -> AsyncIterator[str]:
        yield "begun"
        await self.opened.wait()


async def until_in_flight(service: Service, count: int) -> None:
    await until_async(lambda: service.server.in_flight == count)


def test_one_past_the_limit_is_told_when_to_come_again(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        door = Door()
        async with serving([("/", door.wait, "async", {})], limits={"in_flight": 3}) as service:
            waiting = [asyncio.ensure_future(service.get("/")) for _ in range(3)]
            await until_in_flight(service, 3)

            async with service.connect() as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 503 ")
                assert b"\r\nretry-after: 1\r\n" in head
                assert b"connection: close" not in head
                assert b'"code":"server.overloaded"' in await reader.readuntil(b"}")
                assert service.server.stats()["turned_away"] == 1
                # On the same connection it is served when there is room again.
                door.opened.set()
                assert await asyncio.gather(*waiting) == [(200, b"ok")] * 3
                await until_in_flight(service, 0)
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            assert service.server.stats()["turned_away"] == 1

    asyncio.run(main())
    assert [each.getMessage() for each in caplog.records if "in_flight" in each.getMessage()]


def test_an_answer_that_has_begun_takes_no_place() -> None:
    async def main() -> None:
        door = Door()
        routes: list[Route] = [
            ("/", door.stream, "asyncgen", {}),
            ("/wait", door.wait, "async", {}),
        ]
        async with serving(routes, limits={"in_flight": 1}) as service:
            async with service.connect() as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                await reader.readuntil(b"begun")
                waiting = asyncio.ensure_future(service.get("/wait"))
                await until_in_flight(service, 2)
                assert (await service.get("/wait"))[0] == 503
                door.opened.set()
                assert await waiting == (200, b"ok")

    asyncio.run(main())


def test_who_still_sends_a_body_takes_no_place() -> None:
    async def main() -> None:
        door = Door()
        door.opened.set()
        async with serving([("/", door.wait, "async", {})], limits={"in_flight": 1}) as service:
            async with service.connect() as (reader, writer):
                writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhe")
                await until_in_flight(service, 1)
                assert await service.get("/") == (200, b"ok")
                writer.write(b"llo")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")

    asyncio.run(main())


def test_clients_that_leave_make_room() -> None:
    async def main() -> None:
        door = Door()
        async with serving([("/", door.wait, "async", {})], limits={"in_flight": 2}) as service:
            for _ in range(3):
                async with service.connect() as (_, first), service.connect() as (_, second):
                    first.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                    second.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                    await until_in_flight(service, 2)
                    assert (await service.get("/"))[0] == 503
                await until_in_flight(service, 0)
            door.opened.set()
            assert await service.get("/") == (200, b"ok")

    asyncio.run(main())


def test_a_path_that_is_spared_is_served_all_the_same() -> None:
    async def main() -> None:
        door = Door()

        async def alive() -> str:
            return "alive"

        routes: list[Route] = [("/", door.wait, "async", {}), ("/livez", alive, "async", {})]
        async with serving(routes, limits={"in_flight": 1}, spared=["/livez"]) as service:
            waiting = asyncio.ensure_future(service.get("/"))
            await until_in_flight(service, 1)
            assert (await service.get("/"))[0] == 503
            assert await service.get("/livez") == (200, b"alive")
            assert await service.get("/livez?again") == (200, b"alive")
            assert (await service.get("/livez/"))[0] == 503
            door.opened.set()
            await waiting

    asyncio.run(main())
