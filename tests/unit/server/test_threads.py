import asyncio
import contextvars
import threading
from collections.abc import Callable

import anyio
import anyio.from_thread
import pytest

from kingpost.server.threads import WorkerThreads, from_thread
from tests.waiting import PATIENCE, until_async

name = contextvars.ContextVar("name", default="unset")


async def in_worker(work: Callable[[], object]) -> object:
    """The result of `work`, called on a worker thread of the running loop."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[object] = loop.create_future()

    def target() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - told to the test
            loop.call_soon_threadsafe(result.set_exception, error)
        else:
            loop.call_soon_threadsafe(result.set_result, value)

    pool = WorkerThreads(loop)
    pool.spawn(target, 3)
    try:
        return await result
    finally:
        assert pool.alive(PATIENCE) == []


async def hello(who: str, *, loudly: bool = False) -> str:
    await asyncio.sleep(0)
    return f"hello {who}{'!' if loudly else ''}"


def test_a_worker_thread_is_an_ordinary_daemon_thread_with_a_name() -> None:
    thread = asyncio.run(in_worker(threading.current_thread))

    assert isinstance(thread, threading.Thread)
    assert thread.name == "kingpost-worker-3"
    assert thread.daemon


def test_from_thread_calls_an_async_function_on_the_loop() -> None:
    said = asyncio.run(in_worker(lambda: from_thread(hello, "you", loudly=True)))

    assert said == "hello you!"


def test_from_thread_raises_what_the_function_raises() -> None:
    async def fails() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        asyncio.run(in_worker(lambda: from_thread(fails)))


def test_from_thread_gives_the_callers_context_variables() -> None:
    async def read() -> str:
        return name.get()

    def work() -> str:
        name.set("the thread's")
        return from_thread(read)

    assert asyncio.run(in_worker(work)) == "the thread's"


def test_from_thread_outside_a_worker_is_refused_with_what_to_write() -> None:
    with pytest.raises(RuntimeError, match="await the function instead"):
        from_thread(hello, "you")


def test_calls_that_are_waited_for_are_cancelled_when_the_server_gives_up() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        pool = WorkerThreads(loop)
        begun, ended = asyncio.Event(), threading.Event()

        async def forever() -> None:
            begun.set()
            await asyncio.Event().wait()

        def work() -> None:
            try:
                from_thread(forever)
            except BaseException:  # noqa: BLE001 - told to the test
                ended.set()

        pool.spawn(work, 1)
        await begun.wait()
        pool.cancel_calls()
        await until_async(ended.is_set)

    asyncio.run(main())


def test_anyio_finds_the_loop_from_a_worker_thread() -> None:
    assert asyncio.run(in_worker(lambda: anyio.from_thread.run(hello, "anyio"))) == "hello anyio"


def test_a_thread_in_user_code_is_counted_as_alive() -> None:
    async def main() -> list[str]:
        pool = WorkerThreads(asyncio.get_running_loop())
        done = threading.Event()
        pool.spawn(lambda: done.wait(PATIENCE) and None, 1)
        alive = [thread.name for thread in pool.alive(0.01)]
        done.set()
        assert pool.alive(PATIENCE) == []
        return alive

    assert asyncio.run(main()) == ["kingpost-worker-1"]
