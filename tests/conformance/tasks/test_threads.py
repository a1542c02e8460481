"""What `def` handlers may do with loops, tasks and context variables from their threads."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable

import anyio
import anyio.from_thread
import pytest

from kingpost.server.threads import from_thread
from tests.unit.native.service import Route, Service, serving
from tests.waiting import PATIENCE

from .checks import me
from .loops import new_loop
from .test_attacks import LOOPS

number: contextvars.ContextVar[int] = contextvars.ContextVar("threads_number", default=0)


def ask(loop: str, handler: Callable[[], object], times: int = 1) -> list[tuple[int, str]]:
    """Has a `def` handler answer some requests that come at once."""

    async def main() -> list[tuple[int, str]]:
        async with serving([("/", handler, "thread", {})]) as service:
            answers = await asyncio.gather(*(service.get("/") for _ in range(times)))
            return [(status, body.decode()) for status, body in answers]

    with asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner:
        return runner.run(main())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_thread_has_no_loop_and_may_run_one_of_its_own(loop: str) -> None:
    async def inside() -> str:
        await asyncio.sleep(0)
        return f"{number.get()} {me() is asyncio.current_task()}"

    def handler() -> str:
        number.set(number.get() + 1)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(inside())
        return "there is a loop"

    # The second request on a thread sees nothing of the first.
    assert ask(loop, handler, 8) == [(200, "1 True")] * 8


@pytest.mark.parametrize("loop", LOOPS)
def test_a_call_into_the_loop_is_a_task_of_its_own(loop: str) -> None:
    tasks: set[int] = set()

    async def inside() -> str:
        task = me()
        tasks.add(id(task))
        before = number.get()
        number.set(99)
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.001))
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(PATIENCE)
        except TimeoutError:
            return f"{before} {me() is task} {type(task).__name__} {task.cancelling()}"
        return "no timeout"

    def handler() -> str:
        number.set(5)
        first, second = from_thread(inside), anyio.from_thread.run(inside)
        return f"{first}, {second}, {number.get()}"

    assert ask(loop, handler, 4) == [(200, "5 True Task 0, 5 True Task 0, 5")] * 4


@pytest.mark.parametrize("loop", LOOPS)
def test_what_a_call_into_the_loop_raises_comes_out_of_it(loop: str) -> None:
    async def failing() -> None:
        await asyncio.sleep(0)
        raise LookupError("of the loop")

    async def cancelled() -> None:
        me().cancel()
        await asyncio.sleep(0)

    def handler() -> str:
        seen = []
        for function in (failing, cancelled):
            for call in (from_thread, anyio.from_thread.run):
                try:
                    call(function)
                except BaseException as error:  # noqa: BLE001  (its name is the result)
                    seen.append(type(error).__name__)
        return " ".join(seen)

    assert ask(loop, handler) == [(200, "LookupError LookupError CancelledError CancelledError")]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_plain_function_of_the_loop_is_called_there(loop: str) -> None:
    loop_thread = threading.get_ident()

    def handler() -> str:
        there = anyio.from_thread.run_sync(threading.get_ident)
        return f"{there == loop_thread} {threading.get_ident() == loop_thread}"

    assert ask(loop, handler) == [(200, "True False")]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("error", [GeneratorExit, StopIteration])
def test_what_a_thread_raises_ends_its_request_only(
    loop: str, error: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[int] = []

    def handler() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise error("of a thread")
        return "fine"

    async def main() -> list[tuple[int, bytes]]:
        async with serving([("/", handler, "thread", {})]) as service:
            return [await service.get("/") for _ in range(3)]

    with asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner:
        answers = runner.run(main())

    assert [status for status, _ in answers] == [500, 200, 200]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_ends_the_loop_from_a_thread_as_well(
    loop: str, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def handler() -> str:
        raise error("of a thread")

    async def main() -> None:
        async with serving([("/leave", handler, "thread", {})]) as service:
            await service.get("/leave")
            await asyncio.sleep(PATIENCE)

    with asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner, pytest.raises(error):
        runner.run(main())

    # On a machine that is held up, there may be warnings of that besides.
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage().startswith(
        f"GET '/leave' raised {error.__name__}, which ends the process, request "
    )
    assert record.exc_info is not None
    assert record.exc_info[0] is error


@pytest.mark.parametrize("loop", LOOPS)
def test_a_call_into_the_loop_is_refused_where_it_would_wait_for_itself(loop: str) -> None:
    async def inside() -> None:
        raise AssertionError("never called")

    async def handler() -> str:
        try:
            from_thread(inside)
        except RuntimeError as error:
            return str(error)[:32]
        return "not refused"

    async def main() -> tuple[int, bytes]:
        async with serving([("/", handler, "async", {})]) as service:
            return await service.get("/")

    with asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner:
        assert runner.run(main()) == (200, b"from_thread works in `def` handl")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_thread_asks_its_own_server_through_the_loop(loop: str) -> None:
    services: list[Service] = []

    async def other() -> str:
        await asyncio.sleep(0)
        return "inner"

    def handler() -> str:
        status, body = from_thread(services[0].get, "/other")
        return f"{status} {body.decode()}"

    async def main() -> list[tuple[int, bytes]]:
        routes: list[Route] = [("/", handler, "thread", {}), ("/other", other, "async", {})]
        async with serving(routes) as service:
            services.append(service)
            return await asyncio.gather(*(service.get("/") for _ in range(4)))

    with asyncio.Runner(loop_factory=lambda: new_loop(loop)) as runner:
        assert runner.run(main()) == [(200, b"200 inner")] * 4
