"""Handlers that end the loop or the process, nest loops, and what an operator sees of a request."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.unit.native.service import Route, serving
from tests.waiting import PATIENCE

from .attacks import quick, suspending
from .checks import me
from .loops import new_loop
from .nesting import NestingLoop, run_nested
from .rig import Kind, Rig

KINDS: list[Kind] = ["carrier", "plain"]
LOOPS = ["asyncio", "uvloop"]


class Ended:
    """A loop that a handler ends, and a server on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, kind: Kind) -> None:
        self.loop = loop
        self.rig = Rig(kind)
        self.complaints: list[str] = []
        loop.set_exception_handler(
            lambda _, context: self.complaints.append(str(context.get("message")))
        )

    def serve(self, *handlers: Callable[[], Any]) -> None:
        async def make() -> None:
            self.server, self.dispatch = self.rig.serve(handlers)

        self.loop.run_until_complete(make())

    def run(self, *paths: int) -> tuple[str, list[int]]:
        """Has the paths served as one batch until all are answered, or the loop ends; how it ended, and the statuses."""
        connection = self.server.open(None, lambda: None)
        data = b"".join(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % path for path in paths)
        self.loop.call_soon(self.server.feed, connection, data)
        answer = b""
        deadline = time.monotonic() + PATIENCE

        def look() -> None:
            nonlocal answer, looking
            answer += self.server.output(connection)
            if answer.count(b"HTTP/1.1 ") == len(paths) or time.monotonic() > deadline:
                self.loop.stop()
            looking = self.loop.call_later(0.005, look)

        looking = self.loop.call_later(0.005, look)
        try:
            self.loop.run_forever()
            ended = "stopped"
        except BaseException as error:  # noqa: BLE001  (what ends the loop is what we look at)
            ended = f"{type(error).__name__}: {error}"
        looking.cancel()
        assert asyncio.current_task(self.loop) is None
        answer += self.server.output(connection)
        self.server.lost(connection)
        return ended, [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]

    def close(self) -> None:
        self.rig.close()
        # Only what a handler left: nothing of ours is among them.
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("kind", KINDS)
def test_what_ends_the_process_ends_the_loop_and_is_answered(
    loop: str, error: type[BaseException], kind: Kind
) -> None:
    async def at_once() -> None:
        raise error("at once")

    async def later() -> None:
        await asyncio.sleep(0.001)
        raise error("later")

    async def in_a_child() -> None:
        await asyncio.create_task(later())

    ended = Ended(new_loop(loop), kind)
    ended.serve(at_once, later, quick, suspending, in_a_child)
    try:
        first = ended.run(2, 0, 2)
        # What was behind it in the batch is served when the loop goes on, as is everything else.
        again = ended.run(2, 3)
        second = ended.run(3, 1, 3)
        child = ended.run(4)
        last = ended.run(2, 3)
    finally:
        ended.close()

    assert first[0] == f"{error.__name__}: at once"
    assert first[1][:2] == [200, 500]
    assert second[0] == f"{error.__name__}: later"
    assert second[1][:2] in ([200, 500], [])
    assert child[0] == f"{error.__name__}: later"
    assert again == last == ("stopped", [200, 200])


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_in_a_step_ends_the_loop(loop: str, kind: Kind) -> None:
    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(100_000):
            pass

    async def at_once() -> None:
        interrupted()

    async def later() -> None:
        await asyncio.sleep(0)
        interrupted()

    made = new_loop(loop)
    ended = Ended(made, kind)
    ended.serve(at_once, later, quick, suspending)
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        results = [ended.run(0, 2), ended.run(2, 3), ended.run(1, 2), ended.run(2, 3)]
    finally:
        signal.signal(signal.SIGINT, former)
        ended.close()

    assert [result[0].split(":")[0] for result in results[::2]] == ["KeyboardInterrupt"] * 2
    assert results[1] == results[3] == ("stopped", [200, 200])


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_loop_that_a_handler_stops_goes_on_later(loop: str, kind: Kind) -> None:
    made = new_loop(loop)

    async def at_once() -> None:
        made.stop()

    async def later() -> None:
        await asyncio.sleep(0)
        made.stop()
        await asyncio.sleep(0.002)

    ended = Ended(made, kind)
    ended.serve(at_once, later, quick, suspending)
    try:
        results = [ended.run(2, 0, 2), ended.run(3, 1, 2), ended.run(2, 3)]
    finally:
        ended.close()

    assert [result[0] for result in results] == ["stopped"] * 3
    assert results[2][1] == [200, 200]
    assert ended.complaints == []


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_exit_in_a_handler_ends_the_program_and_answers_its_client(
    loop: str, kind: Kind
) -> None:
    answers: list[bytes] = []

    def ask(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            client.sendall(
                b"GET /later HTTP/1.1\r\nhost: x\r\n\r\nGET /exit HTTP/1.1\r\nhost: x\r\n\r\n"
            )
            while data := client.recv(65536):
                answers.append(data)

    async def exiting() -> None:
        raise SystemExit(3)

    async def main() -> None:
        routes: list[Route] = [("/exit", exiting, "async", {}), ("/later", quick, "async", {})]
        async with serving(routes, tasks=kind) as service:
            asking = threading.Thread(target=ask, args=(service.port,))
            asking.start()
            try:
                await asyncio.sleep(PATIENCE)
            finally:
                threads.append(asking)

    threads: list[threading.Thread] = []
    with (
        asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner,
        pytest.raises(SystemExit) as ended,
    ):
        runner.run(main())
    for thread in threads:
        thread.join(PATIENCE)

    assert ended.value.code == 3
    assert [int(part[:3]) for part in b"".join(answers).split(b"HTTP/1.1 ")[1:]] == [200, 500]


# ---- loops in loops


async def child() -> str:
    await asyncio.sleep(0.001)
    return "child"


async def nested_at_once() -> object:
    return run_nested(child()), run_nested(asyncio.sleep(0.001, "slept"))


async def nested_later() -> object:
    await asyncio.sleep(0.002)
    first = run_nested(child())
    await asyncio.sleep(0.001)
    return first, run_nested(child()), me().cancelling()


async def nested_at_once_then_suspending() -> object:
    first = run_nested(child())
    await asyncio.sleep(0.001)
    return first, run_nested(child())


def nest(kind: Kind, *handlers: Callable[[], Coroutine[Any, Any, object]]) -> object:
    async def main() -> object:
        rig = Rig(kind)
        try:
            return await rig.submit(handlers), await rig.submit([quick, suspending, nested_later])
        finally:
            rig.close()

    with asyncio.Runner(loop_factory=NestingLoop) as runner:
        return runner.run(main())


@pytest.mark.parametrize(
    "handlers",
    [
        [nested_at_once, quick],
        [nested_later, quick],
        [nested_at_once_then_suspending, nested_later, nested_at_once, suspending, quick],
        [suspending, suspending, nested_at_once, suspending],
    ],
    ids=["at once", "later", "all", "behind suspended ones"],
)
def test_loops_in_steps_go_on_as_in_plain_tasks(
    handlers: list[Callable[[], Coroutine[Any, Any, object]]],
) -> None:
    assert nest("carrier", *handlers) == nest("plain", *handlers)


# ---- what an operator sees


@pytest.mark.parametrize("loop", LOOPS)
def test_a_slow_step_is_told_with_our_name_in_debug_mode(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="asyncio")

    async def slow_at_once() -> None:
        time.sleep(0.02)

    async def slow_later() -> None:
        await asyncio.sleep(0)
        time.sleep(0.02)

    slow_later.bare = True  # type: ignore[attr-defined]  # read by the rig
    made = new_loop(loop)
    made.set_debug(True)
    made.slow_callback_duration = 0.01
    ended = Ended(made, "carrier")
    ended.serve(slow_at_once, slow_later)
    try:
        ended.run(0)
        at_once = list(caplog.messages)
        caplog.clear()
        ended.run(1)
        later = list(caplog.messages)
    finally:
        ended.close()

    assert any("Server.feed" in message for message in at_once)
    assert any("RequestTask" in message for message in later)


@pytest.fixture
def suspended() -> Callable[[Callable[[asyncio.Task[Any]], object]], object]:
    """Calls a function with the task of a request that is suspended two awaits deep."""

    async def inner_step() -> None:
        # Until somebody has looked.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(2 * PATIENCE)

    async def outer_step() -> None:
        await inner_step()

    def look(function: Callable[[asyncio.Task[Any]], object]) -> object:
        known: list[asyncio.Task[Any]] = []

        async def handler() -> None:
            known.append(me())
            await outer_step()

        async def looking() -> object:
            await asyncio.sleep(0.01)
            try:
                return function(known[0])
            finally:
                known[0].cancel()

        async def main() -> object:
            rig = Rig("carrier")
            try:
                return (await rig.submit([handler, looking]))[1]
            finally:
                rig.close()

        return asyncio.run(main())

    return look


@pytest.mark.skipif(sys.version_info < (3, 14), reason="call graphs are new in Python 3.14")
def test_a_call_graph_shows_the_coroutines_of_the_user(
    suspended: Callable[[Callable[[asyncio.Task[Any]], object]], object],
) -> None:
    def look(task: asyncio.Task[Any]) -> object:
        from asyncio import capture_call_graph, format_call_graph  # type: ignore[attr-defined]  # new in Python 3.14

        graph = capture_call_graph(task)
        names = [entry.frame.f_code.co_name for entry in graph.call_stack]
        return names, format_call_graph(task)

    seen = suspended(look)

    assert isinstance(seen, tuple)
    names, text = seen
    assert names[:4] == ["sleep", "inner_step", "outer_step", "handler"]
    assert "Carrier" not in text


def test_repr_and_stack_show_the_coroutines_of_the_user(
    suspended: Callable[[Callable[[asyncio.Task[Any]], object]], object],
) -> None:
    def look(task: asyncio.Task[Any]) -> object:
        text = io.StringIO()
        task.print_stack(file=text)
        return repr(task), text.getvalue()

    seen = suspended(look)

    assert isinstance(seen, tuple)
    assert all("Carrier" not in text for text in seen)
    assert "coro=<kept.<locals>.run() running at" in seen[0]
    assert "rig.py" in seen[1]


# ---- what is left behind


async def touching() -> int:
    me().set_name("touched")
    return 1


async def touching_later() -> int:
    me().set_name("touched")
    await asyncio.sleep(0)
    return 1


async def failing() -> None:
    await asyncio.sleep(0)
    raise ValueError("expected")


async def disconnected() -> None:
    await asyncio.Event().wait()


async def settled(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("the requests do not end")


def memory() -> int:
    """Resident bytes of this process; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def objects() -> dict[str, int]:
    gc.collect()
    counts: dict[str, int] = {}
    for thing in gc.get_objects():
        name = type(thing).__name__
        counts[name] = counts.get(name, 0) + 1
    return counts


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "handler", [quick, suspending, touching, touching_later, failing, disconnected]
)
@pytest.mark.parametrize("count", [2_048, pytest.param(102_400, marks=pytest.mark.long)])
def test_requests_leave_nothing_behind(
    handler: Callable[[], Coroutine[Any, Any, object]], loop: str, count: int
) -> None:
    made = new_loop(loop)
    ended = Ended(made, "carrier")
    ended.serve(handler)

    async def serve(number: int) -> None:
        for _ in range(number // 16):
            connection = ended.server.open(None, lambda: None)
            made.call_soon(
                ended.server.feed, connection, b"GET /0 HTTP/1.1\r\nhost: x\r\n\r\n" * 16
            )
            await asyncio.sleep(0)
            await settled(lambda: handler is disconnected or ended.server.in_flight == 0)
            made.call_soon(ended.server.lost, connection)
            await asyncio.sleep(0)
            await settled(lambda: ended.server.in_flight == 0)

    made.run_until_complete(serve(count // 4))
    before, answered = objects(), ended.dispatch.answered
    growths: list[int] = []
    # What is left behind is left behind each time; a heap that other tests have used grows now and then by itself.
    while len(growths) < 3 and not any(growth < 8 * 2**20 for growth in growths):
        bytes_before = memory()
        made.run_until_complete(serve(count))
        growths.append(memory() - bytes_before)
    after = objects()
    in_flight, connections = ended.server.in_flight, ended.server.connections
    ended.close()

    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert {name: by for name, by in grown.items() if by > 20} == {}
    assert min(growths) < 8 * 2**20
    assert (in_flight, connections) == (0, 0)
    served = 0 if handler is disconnected else count * len(growths)
    assert ended.dispatch.answered - answered == served
    assert ended.complaints == []
