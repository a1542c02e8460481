"""How many connections there may be: of all, of one peer, and when the system has no more descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from kingpost import App, _native
from kingpost.app.compile import compile_app
from kingpost.middleware import TrustedProxies
from kingpost.server.engine import Engine
from kingpost.server.options import Options
from kingpost.server.task import RequestTask
from tests.faults.program import running
from tests.security.rig import (
    SHELLS,
    Driver,
    PlainService,
    read_all,
    read_answers,
    serving,
    until_quiet,
)
from tests.waiting import PATIENCE, until

GET = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


def make_app() -> App:
    app = App()

    @app.get("/", inline=True)
    def home() -> str:
        return "here"

    return app


def test_one_more_than_the_limit_waits_until_somebody_leaves() -> None:
    with serving(make_app(), limits={"connections": 10}) as rig:
        inside = [rig.connect() for _ in range(10)]
        until(lambda: rig.server.connections == 10)
        with rig.connect() as waiting:
            waiting.sendall(GET)
            waiting.settimeout(0.2)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
            # A full house is quiet.
            until_quiet()
            assert rig.server.connections == 10
            inside[0].close()
            waiting.settimeout(PATIENCE)
            (answer,) = read_answers(read_all(waiting))
            assert answer.body == b"here"
        for connection in inside:
            connection.close()
        rig.until_idle()
        assert rig.get("/").body == b"here"


@pytest.mark.parametrize("driver", SHELLS)
def test_many_more_than_the_limit_are_served_in_the_end(driver: Driver) -> None:
    with serving(
        make_app(),
        driver=driver,
        limits={"connections": 5, "head_timeout": 300, "idle_timeout": 300},
    ) as rig:
        connections = [rig.connect() for _ in range(60)]
        until(lambda: rig.server.connections <= 5)
        for connection in connections:
            with contextlib.suppress(ConnectionError):
                connection.sendall(GET)
        answers = [read_all(connection) for connection in connections]
        for connection in connections:
            connection.close()
        assert sum(answer.startswith(b"HTTP/1.1 200 OK") for answer in answers) >= 5
        rig.until_idle()
        assert rig.get("/").body == b"here"


def test_one_peer_has_a_limit_of_its_own_and_loopback_none() -> None:
    service = PlainService([("/", "inline", ["GET"], lambda _: b"here")])

    async def main() -> None:
        server = _native.Server(
            service.dispatch,
            service.router,
            service.plans,
            loop=asyncio.get_running_loop(),
            task_type=RequestTask,
            sockets=False,
            limits={"connections_per_peer": 3},
        )
        server.start()

        def notify() -> None:
            pass

        mine = [server.open(("192.0.2.1", 1000 + number), notify) for number in range(5)]
        assert [bool(number) for number in mine] == [True, True, True, False, False]
        assert server.open(("192.0.2.2", 1), notify)
        # A machine has a whole /64 of IPv6.
        sixes = [server.open((f"2001:db8::{number}", 1), notify) for number in range(1, 5)]
        assert [bool(number) for number in sixes] == [True, True, True, False]
        # Mapped, it is the same peer.
        assert not server.open(("::ffff:192.0.2.1", 1), notify)
        assert all(server.open(("127.0.0.1", number), notify) for number in range(1, 20))
        assert all(server.open(None, notify) for _ in range(20))
        server.lost(mine[0])
        assert server.open(("192.0.2.1", 2000), notify)
        server.close()

    asyncio.run(main())


def test_trusted_proxies_hold_as_many_connections_as_they_like() -> None:
    app = make_app()
    app.middleware(TrustedProxies(["192.0.2.0/25", "2001:db8:7::/48"]))
    compiled = compile_app(app, mode="production")

    async def main() -> None:
        options = Options(limits={"connections_per_peer": 3})
        engine = Engine(
            compiled,
            options,
            loop=asyncio.get_running_loop(),
            context=compiled.context,
            sockets=False,
        )

        def held(*addresses: str) -> list[bool]:
            opened = [engine.server.open((address, 1), lambda: None) for address in addresses]
            return [bool(number) for number in opened]

        assert all(held(*["192.0.2.1"] * 20))
        assert all(held(*["192.0.2.127"] * 20))
        assert all(held(*["2001:db8:7:1::1"] * 20))
        # Mapped, it is the same peer.
        assert all(held(*["::ffff:192.0.2.1"] * 20))
        assert held(*["192.0.2.128"] * 5) == [True] * 3 + [False] * 2
        assert held(*["2001:db8:8::1"] * 5) == [True] * 3 + [False] * 2
        engine.close()

    asyncio.run(main())


APP = """
import os, resource
from kingpost import App

app = App()

@app.get("/")
async def home() -> str:
    return "here"

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
"""


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize("driver", ["native", "asyncio"])
def test_without_descriptors_the_server_neither_spins_nor_dies(tmp_path: Path, driver: str) -> None:
    (tmp_path / "app.py").write_text(APP)
    with running(
        tmp_path, "run", "--port", "0", environment={"KINGPOST_DRIVER": driver}
    ) as program:
        assert program.body() == "here"
        pid = program.process.pid
        clients = [program.connect() for _ in range(120)]

        def is_quiet() -> bool:
            # asyncio's own accept loop logs and waits a second; ours waits a quarter of one.
            before, said, begun = processor_seconds(pid), len(program.lines), time.monotonic()
            time.sleep(1.5)
            seconds, lines = time.monotonic() - begun, len(program.lines) - said
            return processor_seconds(pid) - before < seconds / 5 and lines < 100 * seconds

        def is_served() -> bool:
            try:
                return program.body() == "here"
            except OSError:
                return False

        program.until(is_quiet)
        assert program.process.poll() is None
        for client in clients:
            client.close()
        program.until(is_served)
        assert program.process.poll() is None


@pytest.mark.parametrize("driver", SHELLS)
def test_a_thousand_idle_connections_are_held_quietly(driver: Driver) -> None:
    with serving(make_app(), driver=driver) as rig:
        # Both ends are descriptors of this process.
        room = _room_for_descriptors()
        clients = [rig.connect() for _ in range(min(1000, room // 2 - 100))]
        until(lambda: rig.server.connections == len(clients))
        until_quiet(0.1)
        for client in clients[::100]:
            client.sendall(GET)
            assert read_answers(read_all(client))[0].body == b"here"
        for client in clients:
            client.close()
        rig.until_idle()


def _room_for_descriptors() -> Any:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
