"""What workers share: counters that are exact over processes, and messages that reach every other worker."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Generator

import pytest

from kingpost import _native
from kingpost.http.counting import begin_generation, count_together, together
from kingpost.middleware import MemoryRateStore, rate_limit
from kingpost.server import shared
from kingpost.server.shared import LOST, MESSAGE, MOST_SLOTS, QUEUE, Bus, Shared, Workshop, here
from tests.waiting import until_async

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers are forked")


@pytest.fixture(autouse=True)
def alone() -> Generator[None]:
    before = list(shared._here)
    yield
    shared._here[:] = before
    count_together(None)


def run(program: str) -> str:
    """What a program says that forks: this process has threads."""
    head = "import asyncio, os, sys\nfrom kingpost import _native\nfrom kingpost.server.shared import Workshop\n"
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", head + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- counters --------------------------------------------------------------------------------------------------------


def test_four_processes_that_hit_one_key_at_once_count_exactly() -> None:
    said = run(
        """
        counters = _native.Counters()
        gate, opened = os.pipe()
        for _ in range(4):
            if not os.fork():
                os.close(opened)
                os.read(gate, 1)
                for number in range(50_000):
                    counters.hit("key", 3600)
                    counters.add("sum", 2)
                    if number % 100 == 0:
                        counters.add(f"name {number}")
                os._exit(0)
        os.close(opened)
        for _ in range(4):
            assert os.wait()[1] == 0
        sums = counters.read()
        print(counters.hit("key", 3600)[0], sums.pop("sum"), len(sums), set(sums.values()))
        """
    )
    assert said.split("\n")[0] == "200001 400000 500 {4}"


def test_a_process_that_is_killed_while_it_counts_holds_up_nobody() -> None:
    said = run(
        """
        import signal, time
        counters = _native.Counters()
        for _ in range(20):
            child = os.fork()
            if not child:
                while True:
                    counters.hit("key", 3600)
                    counters.add(str(time.monotonic_ns()))
            before = counters.hit("key", 3600)[0]
            while counters.hit("key", 3600)[0] < before + 1000:
                pass
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        before = counters.hit("key", 3600)[0]
        assert counters.hit("key", 3600)[0] == before + 1
        print("counts", counters.add("one more") or len(counters.read()))
        """
    )
    assert said.startswith("counts")


def test_a_window_says_how_long_it_goes_on() -> None:
    counters = _native.Counters()

    assert counters.hit("a", 1.5, now=10.0) == (1, 1.5)
    assert counters.hit("a", 1.5, now=11.0) == (2, 0.5)
    assert counters.hit("a", 1.5, now=11.5) == (1, 1.5)


@pytest.mark.parametrize("window", [-1.0, float("nan")])
def test_a_window_that_is_no_time_is_refused(window: float) -> None:
    with pytest.raises(ValueError, match="no seconds"):
        _native.Counters().hit("a", window)


def test_a_mark_beyond_the_last_is_refused() -> None:
    counters = _native.Counters()
    counters.mark(1023, 7)
    assert counters.marked(1023) == 7
    with pytest.raises(IndexError, match="no mark 1024"):
        counters.mark(1024, 7)


def test_what_an_owner_has_goes_with_it() -> None:
    counters = _native.Counters()
    counters.set("connections", 3, owner=0)
    counters.set("connections", 4, owner=1)
    counters.add("requests", 5)
    assert counters.read() == {"connections": 7, "requests": 5}

    counters.forget(1)

    assert counters.read() == {"connections": 3, "requests": 5}


def made_here() -> MemoryRateStore:
    return MemoryRateStore()


def test_a_store_of_rates_is_known_by_where_it_stands_and_new_code_counts_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def in_a_worker(*, after_another: bool) -> int:
        monkeypatch.setattr(rate_limit, "_made", Counter[str]())
        if after_another:
            assert MemoryRateStore().count("key", 60).hits == 1
        return made_here().count("key", 60).hits

    workshop = Workshop(2)
    workshop.enter(0, 0)
    try:
        assert in_a_worker(after_another=False) == 1
        # Made late there, behind one that the other has not made.
        assert in_a_worker(after_another=True) == 2
        begin_generation("next")
        assert in_a_worker(after_another=False) == 1
    finally:
        begin_generation("")
        workshop.close()


def test_rate_limits_in_memory_count_together_where_there_are_workers() -> None:
    store, other = MemoryRateStore(), MemoryRateStore()
    timed = MemoryRateStore(clock=lambda: 5.0)
    assert store.count("key", 60).hits == 1

    workshop = Workshop(2)
    workshop.enter(0, 0)
    try:
        assert together() is workshop.counters
        assert [store.count("key", 60).hits for _ in range(3)] == [1, 2, 3]
        assert other.count("key", 60).hits == 1
        assert timed.count("key", 60).hits == 1
        workshop.enter(1, 0)
        assert store.count("key", 60).hits == 4
        assert timed.count("key", 60).hits == 2
    finally:
        workshop.close()


def test_a_worker_keeps_what_it_reads_and_what_it_sends_by() -> None:
    workshop = Workshop(2)
    try:
        workshop.enter(1, 0)
        workshop.leave_to_others(1, 0)
        kept = [[end.fileno() >= 0 for end in pair] for pair in workshop._lanes]
        assert kept == [[False, True], [False, True], [True, True], [False, True]]
    finally:
        workshop.close()


# -- the bus ---------------------------------------------------------------------------------------------------------


def workers(count: int) -> tuple[Workshop, list[Shared]]:
    workshop = Workshop(count)
    return workshop, [workshop.enter(slot, 0) for slot in range(count)]


def test_a_process_of_its_own_has_counters_and_a_bus_that_nobody_hears() -> None:
    shared._here.clear()
    alone = here()
    heard: list[bytes] = []
    alone.bus.listen("kind", heard.append)

    alone.bus.send("kind", b"message")

    assert (alone.slot, alone.workers, heard) == (0, 1, [])
    assert alone.counters.hit("key", 60)[0] == 1
    assert here() is alone


def test_a_message_reaches_every_other_worker_and_only_those_who_listen_to_its_kind() -> None:
    async def main() -> None:
        workshop, (one, two, three) = workers(3)
        heard: list[tuple[str, bytes]] = []
        try:
            for name, each in (("one", one), ("two", two), ("three", three)):
                each.bus.open(asyncio.get_running_loop())
                each.bus.listen("kind", lambda data, name=name: heard.append((name, data)))
                each.bus.listen("other", lambda data, name=name: heard.append(("never", data)))
            undo = three.bus.listen("kind", lambda data: heard.append(("twice", data)))

            one.bus.send("kind", b"first")
            await until_async(lambda: len(heard) == 3)
            undo()
            undo()
            two.bus.send("kind", b"")
            await until_async(lambda: len(heard) == 5)

            assert heard[:3] in (
                [("two", b"first"), ("three", b"first"), ("twice", b"first")],
                [("three", b"first"), ("twice", b"first"), ("two", b"first")],
            )
            assert sorted(heard[3:]) == [("one", b""), ("three", b"")]
        finally:
            for each in (one, two, three):
                each.bus.close()
            workshop.close()

    asyncio.run(main())


def test_messages_of_any_size_arrive_whole_and_in_order_though_they_come_at_once() -> None:
    sizes = [0, 1, 32_700, 32_768, 65_536, 1_000_000, *range(1000)]

    async def main() -> None:
        workshop, (one, two) = workers(2)
        heard: list[bytes] = []
        try:
            one.bus.open(asyncio.get_running_loop())
            two.bus.open(asyncio.get_running_loop())
            two.bus.listen("kind", heard.append)
            for number, size in enumerate(sizes):
                one.bus.send("kind", bytes([number % 251]) * size)
            await until_async(lambda: len(heard) == len(sizes))

            assert [len(each) for each in heard] == sizes
            assert all(set(each) <= {number % 251} for number, each in enumerate(heard))
            assert LOST not in workshop.counters.read()
        finally:
            one.bus.close()
            two.bus.close()
            workshop.close()

    asyncio.run(main())


def test_what_there_is_no_room_for_is_lost_whole_and_counted() -> None:
    async def main() -> None:
        workshop, (one, two) = workers(2)
        heard: list[bytes] = []
        try:
            one.bus.open(asyncio.get_running_loop())
            two.bus.open(asyncio.get_running_loop())
            two.bus.listen("kind", heard.append)
            # Nobody reads until this function waits.
            sent = 0
            while LOST not in workshop.counters.read():
                one.bus.send("kind", b"%08d" % sent + bytes(99_992))
                sent += 1
            assert sent * 100_000 > QUEUE
            await until_async(lambda: len(heard) == sent - 1)
            one.bus.send("kind", b"%08d" % sent)
            await until_async(lambda: len(heard) == sent)

            assert [int(each[:8]) for each in heard] == [*range(sent - 1), sent]
            assert workshop.counters.read()[LOST] == 1
        finally:
            one.bus.close()
            two.bus.close()
            workshop.close()

    asyncio.run(main())


def test_a_message_is_as_long_as_allowed_and_no_longer() -> None:
    bus = Bus()
    bus.send("k" * 255, bytes(MESSAGE))
    with pytest.raises(ValueError, match=str(MESSAGE)):
        bus.send("kind", bytes(MESSAGE + 1))
    with pytest.raises(ValueError, match="1 to 255"):
        bus.send("k" * 256, b"")
    with pytest.raises(ValueError, match="1 to 255"):
        bus.send("", b"")


def test_a_worker_that_is_gone_is_not_sent_to_and_its_successor_hears_nothing_of_before() -> None:
    async def main() -> None:
        workshop, (one, two) = workers(2)
        try:
            one.bus.open(asyncio.get_running_loop())
            two.bus.open(asyncio.get_running_loop())
            one.bus.send("kind", b"never read")
            # It was killed: it closed nothing.
            workshop.left(1, 0)
            asyncio.get_running_loop().remove_reader(two.bus._reader.fileno())  # type: ignore[union-attr]  # it has one: it has a lane
            one.bus.send("kind", b"to nobody")
            successor = workshop.enter(1, 0)
            heard: list[bytes] = []
            successor.bus.listen("kind", heard.append)
            successor.bus.open(asyncio.get_running_loop())
            one.bus.send("kind", b"heard")
            await until_async(lambda: heard)
            successor.bus.close()

            assert heard == [b"heard"]
        finally:
            one.bus.close()
            workshop.close()

    asyncio.run(main())


def test_a_listener_that_fails_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        workshop, (one, two) = workers(2)
        heard: list[bytes] = []

        def fail(_: bytes) -> None:
            raise RuntimeError("listener")

        try:
            one.bus.open(asyncio.get_running_loop())
            two.bus.open(asyncio.get_running_loop())
            two.bus.listen("kind", fail)
            two.bus.listen("kind", heard.append)
            one.bus.send("kind", b"message")
            await until_async(lambda: heard)
        finally:
            one.bus.close()
            two.bus.close()
            workshop.close()

    asyncio.run(main())
    assert "a listener of the bus failed on a message of 'kind'" in caplog.text


def test_four_processes_hear_each_other() -> None:
    said = run(
        """
        workshop = Workshop(4)
        workshop.set_workers(4)
        ready, told = os.pipe()

        async def work(slot):
            shared = workshop.enter(slot, 0)
            assert (shared.slot, shared.workers) == (slot, 4)
            heard, all_heard = [], asyncio.Event()
            def hear(data):
                heard.append(data)
                if len(heard) == 3 * 500:
                    all_heard.set()
            shared.bus.listen("kind", hear)
            shared.bus.open(asyncio.get_running_loop())
            while not all(workshop.counters.marked(1 + 2 * each) for each in range(4)):
                await asyncio.sleep(0.01)
            for number in range(500):
                shared.bus.send("kind", b"%d:%d:" % (slot, number) + bytes(1000))
            await asyncio.wait_for(all_heard.wait(), 60)
            for other in {0, 1, 2, 3} - {slot}:
                numbers = [int(each.split(b":")[1]) for each in heard if each.startswith(b"%d:" % other)]
                assert numbers == list(range(500))
            # Until all have heard all: what waits to be sent is lost with its sender.
            shared.counters.add("done")
            while shared.counters.read()["done"] < 4:
                await asyncio.sleep(0.01)
            shared.bus.close()

        for slot in range(4):
            if not os.fork():
                try:
                    asyncio.run(work(slot))
                    os._exit(0)
                except BaseException as error:
                    print(repr(error), file=sys.stderr, flush=True)
                    os._exit(1)
        print([os.wait()[1] for _ in range(4)], workshop.counters.read())
        """
    )
    assert said == "[0, 0, 0, 0] {'done': 4}\n"


@pytest.mark.parametrize("count", [0, MOST_SLOTS + 1])
def test_there_are_only_so_many_workers(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {MOST_SLOTS}"):
        Workshop(count)


def test_a_lane_that_cannot_be_made_leaves_none_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    real = socket.socketpair

    def few(*args: int) -> tuple[socket.socket, socket.socket]:
        if len(made) == 6:
            raise OSError(24, "Too many open files")
        pair = real(*args)
        made.extend(pair)
        return pair

    monkeypatch.setattr(socket, "socketpair", few)
    with pytest.raises(OSError, match="Too many"):
        Workshop(4)
    assert [each.fileno() for each in made] == [-1] * 6
