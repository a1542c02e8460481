"""T37: requests that were read and are not answered are bounded for each connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from typing import Any

import pytest

from kingpost import App
from tests.security.rig import (
    SHELLS,
    Driver,
    half_close,
    read_all,
    read_answers,
    reset,
    send_until_full,
    serving,
    until_quiet,
)
from tests.waiting import until

GET = b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n"
LAST = b"GET /wait HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


class Waiting:
    """An app whose handlers wait until they are let go."""

    def __init__(self) -> None:
        self.app = App()
        self.started = 0
        self.loop: asyncio.AbstractEventLoop | None = None
        self.go: asyncio.Event | None = None

        @self.app.get("/wait")
        async def wait() -> str:
            self.started += 1
            if self.go is None:
                self.loop, self.go = asyncio.get_running_loop(), asyncio.Event()
            await self.go.wait()
            return "done"

        @self.app.post("/wait")
        async def wait_unsafe() -> str:
            return await wait()

    def release(self) -> None:
        assert self.loop is not None
        assert self.go is not None
        self.loop.call_soon_threadsafe(self.go.set)


@pytest.mark.parametrize("driver", SHELLS)
def test_no_more_than_sixteen_of_a_pipeline_are_worked_on(driver: Driver) -> None:
    waiting = Waiting()
    with serving(waiting.app, driver=driver) as rig, rig.connect() as connection:
        connection.sendall(GET * 999 + LAST)
        until(lambda: waiting.started >= 16)
        time.sleep(0.1)
        assert waiting.started == 16
        # Nothing spins meanwhile.
        until_quiet()
        waiting.release()
        answers = read_answers(read_all(connection))
    assert [answer.body for answer in answers] == [b"done"] * 1000
    assert waiting.started == 1000


@pytest.mark.parametrize("driver", SHELLS)
def test_a_pipeline_without_end_is_not_read(driver: Driver) -> None:
    waiting = Waiting()
    with serving(waiting.app, driver=driver) as rig, rig.connect() as connection:
        assert send_until_full(connection, GET * 10_000) < 20_000_000
        until(lambda: waiting.started >= 16)
        assert waiting.started == 16
        waiting.release()


@pytest.mark.parametrize("driver", SHELLS)
def test_behind_an_unsafe_request_nothing_is_started(driver: Driver) -> None:
    waiting = Waiting()
    with serving(waiting.app, driver=driver) as rig, rig.connect() as connection:
        connection.sendall(
            b"POST /wait HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi" + GET * 3
        )
        until(lambda: waiting.started == 1)
        time.sleep(0.05)
        assert waiting.started == 1
        waiting.release()
        until(lambda: waiting.started == 4)


@pytest.mark.parametrize("driver", SHELLS)
def test_answers_that_nobody_reads_stop_the_work(driver: Driver) -> None:
    app = App()
    count: list[int] = []

    @app.get("/wait", inline=True)
    def large() -> bytes:
        count.append(1)
        return b"x" * 100_000

    with serving(app, driver=driver) as rig, rig.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def send() -> None:
            with contextlib.suppress(OSError):
                connection.sendall(GET * 20_000)

        def is_still() -> bool:
            before = len(count)
            time.sleep(0.3)
            return 0 < before == len(count)

        sender = threading.Thread(target=send)
        sender.start()
        until(is_still)
        until_quiet()
        # 2 GB were asked for; what the buffers of system and engine hold was made, and then no more.
        assert len(count) < 200
        half_close(connection)
        sender.join()
        reset(connection)
        rig.until_idle()


def test_a_pipeline_of_many_connections_leaves_the_loop_its_turns() -> None:
    waiting = Waiting()
    answered = 0
    between: list[int] = []

    @waiting.app.get("/quick")
    async def quick() -> str:
        nonlocal answered
        answered += 1
        return "x"

    @waiting.app.get("/timer")
    async def timer() -> Any:
        for _ in range(50):
            before = answered
            await asyncio.sleep(0.001)
            between.append(answered - before)
        return "done"

    with serving(waiting.app) as rig:
        stop = threading.Event()

        def flood() -> None:
            request = b"GET /quick HTTP/1.1\r\nhost: a\r\n\r\n" * 500
            with rig.connect() as connection:
                while not stop.is_set():
                    connection.sendall(request)
                    left = 500
                    while left > 0:
                        left -= connection.recv(1 << 20).count(b"HTTP/1.1 200")

        floods = [threading.Thread(target=flood) for _ in range(2)]
        for thread in floods:
            thread.start()
        try:
            assert rig.get("/timer").body == b"done"
        finally:
            stop.set()
            for thread in floods:
                thread.join()
    # Each of the two is answered 500 at once: a timer waits for some such rounds, and not for all that are to come.
    assert sorted(between)[len(between) // 2] < 5_000
