"""What a handler may do with its task. Each check gives a value; a carrier must give what a plain Task gives.

A check is written once and run on both kinds, on every loop: the plain Task is the oracle.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import io
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx2
from aiohttp import web

from tests.waiting import PATIENCE

from .rig import Rig

Check = Callable[[Rig], Awaitable[object]]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    CHECKS[function.__name__] = function
    return function


def me() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


number: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)
by_task: weakref.WeakKeyDictionary[asyncio.Task[Any], str] = weakref.WeakKeyDictionary()


async def sleeper(seen: list[str]) -> None:
    """Sleeps until it is cancelled, or longer than anybody looks."""
    try:
        await asyncio.sleep(2 * PATIENCE)
        seen.append("finished")
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise


@check
async def timeouts_groups_shields_and_gathers(rig: Rig) -> object:
    async def later(value: int) -> int:
        await asyncio.sleep(0.001)
        return value

    async def handler() -> list[object]:
        out: list[object] = []
        async with asyncio.timeout(5):
            await asyncio.sleep(0.001)
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(1)
        except TimeoutError:
            out.append("timeout")
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(later(1)), group.create_task(later(2))
        out.append(first.result() + second.result())
        out.append(await asyncio.wait_for(later(9), 1))
        out.append(await asyncio.shield(later(7)))
        out.append(await asyncio.gather(later(3), later(4)))
        return out

    return await rig.submit([handler, handler])


@check
async def a_failing_group_cancels_its_siblings(rig: Rig) -> object:
    async def boom() -> None:
        raise ValueError("boom")

    async def handler() -> str:
        caught = "no error"
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(boom())
                await asyncio.sleep(1)
        except* ValueError:
            caught = f"group {me().cancelling()}"
        return caught

    return await rig.submit([handler, handler])


@check
async def handlers_of_one_batch_await_one_future(rig: Rig) -> object:
    future = asyncio.get_running_loop().create_future()

    async def handler() -> object:
        return await future

    asyncio.get_running_loop().call_later(0.02, future.set_result, "v")
    return await rig.submit([handler, handler, handler])


@check
async def handlers_of_one_batch_share_one_task(rig: Rig) -> object:
    shared: list[asyncio.Task[int]] = []

    async def work() -> int:
        await asyncio.sleep(0.01)
        return 5

    async def handler() -> int:
        if not shared:
            shared.append(asyncio.create_task(work()))
        return await shared[0]

    return await rig.submit([handler, handler])


@check
async def handlers_wait_for_one_event(rig: Rig) -> object:
    event = asyncio.Event()

    async def handler() -> int:
        await event.wait()
        return 1

    asyncio.get_running_loop().call_later(0.02, event.set)
    return await rig.submit([handler, handler])


@check
async def a_timeout_of_zero_cancels_the_inner_task(rig: Rig) -> object:
    seen: list[str] = []

    async def handler() -> str:
        task = asyncio.create_task(sleeper(seen))
        try:
            async with asyncio.timeout(0):
                await task
        except TimeoutError:
            return "TimeoutError"
        return "no timeout"

    result = await rig.submit([handler])
    await asyncio.sleep(0.1)
    return result, seen


@check
async def a_task_cancels_itself_and_then_awaits(rig: Rig) -> object:
    seen: list[str] = []

    async def handler() -> object:
        inner = asyncio.create_task(sleeper(seen))
        me().cancel("why")
        try:
            await inner
        except asyncio.CancelledError as error:
            return "caught", str(error), me().cancelling()
        return "not cancelled"

    result = await rig.submit([handler])
    await asyncio.sleep(0.1)
    return result, seen


@check
async def a_task_cancels_itself_and_returns_and_the_next_is_untouched(rig: Rig) -> object:
    async def cancelling() -> str:
        me().cancel()
        return "done"

    async def suspending() -> object:
        count = me().cancelling()
        await asyncio.sleep(0.01)
        return "next", count

    async def quick() -> object:
        return "quick", me().cancelling()

    return [
        await rig.submit([cancelling, quick, suspending]),
        await rig.submit([suspending]),
        await rig.submit([quick]),
    ]


@check
async def a_task_cancels_itself_and_takes_it_back(rig: Rig) -> object:
    async def handler() -> object:
        me().cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        before = me().cancelling()
        me().uncancel()
        return before, me().cancelling()

    async def quick() -> int:
        return me().cancelling()

    return await rig.submit([handler, quick, quick])


@check
async def a_sibling_of_the_batch_cancels(rig: Rig) -> object:
    known: list[asyncio.Task[Any]] = []
    seen: list[str] = []

    async def first() -> str:
        known.append(me())
        inner = asyncio.create_task(sleeper(seen))
        try:
            await inner
        except asyncio.CancelledError:
            return "cancelled"
        return "not cancelled"

    async def second() -> str:
        known[0].cancel()
        return "second"

    result = await rig.submit([first, second])
    await asyncio.sleep(0.1)
    return result, seen


@check
async def a_done_callback_fires_with_its_own_request(rig: Rig) -> object:
    log: list[str] = []

    async def handler() -> int:
        me().add_done_callback(lambda task: log.append("done"))
        return 1

    async def look() -> list[str]:
        return list(log)

    first = await rig.submit([handler])
    await asyncio.sleep(0.01)
    return first, await rig.submit([look]), log


@check
async def a_done_callback_sees_the_exception(rig: Rig) -> object:
    log: list[str] = []

    async def handler() -> None:
        me().add_done_callback(lambda task: log.append(repr(task.exception())))
        await asyncio.sleep(0)
        raise ValueError("seen")

    result = await rig.submit([handler])
    await asyncio.sleep(0.01)
    return result, len(log)


@check
async def a_name_does_not_leak(rig: Rig) -> object:
    async def handler() -> str:
        me().set_name("mine")
        return me().get_name()

    async def look() -> bool:
        return me().get_name() == "mine"

    return await rig.submit([handler, look])


@check
async def an_attribute_does_not_leak(rig: Rig) -> object:
    async def handler() -> int:
        me().mine = 1  # type: ignore[attr-defined]  # a task takes any attribute
        return 1

    async def look() -> object:
        return getattr(me(), "mine", None)

    return await rig.submit([handler, look])


@check
async def a_weak_key_does_not_leak(rig: Rig) -> object:
    async def handler() -> int:
        by_task[me()] = "state"
        return 1

    async def look() -> object:
        return by_task.get(me())

    return await rig.submit([handler, look])


@check
async def a_strong_key_does_not_leak(rig: Rig) -> object:
    known: dict[asyncio.Task[Any], str] = {}

    async def handler() -> int:
        known[me()] = "state"
        return 1

    async def look() -> object:
        return known.get(me())

    return await rig.submit([handler, look])


@check
async def the_context_of_the_task_is_the_handlers(rig: Rig) -> object:
    async def handler() -> object:
        number.set(5)
        if not hasattr(asyncio.Task, "get_context"):
            return 5, 5
        task: Any = me()
        before = task.get_context().get(number)
        await asyncio.sleep(0)
        return before, task.get_context().get(number)

    return await rig.submit([handler])


@check
async def contexts_are_isolated(rig: Rig) -> object:
    async def quick() -> int:
        value = number.get()
        number.set(1)
        return value

    async def suspending() -> object:
        value = number.get()
        number.set(1)
        await asyncio.sleep(0.001)
        return value, number.get()

    return await rig.submit([quick, quick, suspending, suspending, quick])


@check
async def all_tasks_shows_no_stranger(rig: Rig) -> object:
    outside = asyncio.all_tasks()

    async def handler() -> int:
        await asyncio.sleep(0.01)
        return len(asyncio.all_tasks() - {me(), *outside})

    return await rig.submit([handler])


@check
async def waiting_for_all_others_ends(rig: Rig) -> object:
    outside = asyncio.all_tasks()

    async def handler() -> str:
        await asyncio.sleep(0.01)
        others = asyncio.all_tasks() - {me(), *outside}
        await asyncio.wait_for(asyncio.gather(*others), PATIENCE)
        return "ok"

    return await rig.submit([handler])


@check
async def a_suspended_task_is_among_all_tasks(rig: Rig) -> object:
    async def handler() -> bool:
        await asyncio.sleep(0)
        return me() in asyncio.all_tasks()

    return await rig.submit([handler])


@check
async def cancelling_all_others_leaves_the_server_alive(rig: Rig) -> object:
    outside = asyncio.all_tasks()

    async def handler() -> str:
        await asyncio.sleep(0.01)
        for task in asyncio.all_tasks() - {me(), *outside}:
            task.cancel()
        await asyncio.sleep(0.01)
        return "ok"

    async def after() -> str:
        await asyncio.sleep(0.001)
        return "alive"

    return await rig.submit([handler]), await rig.submit([after])


@check
async def exceptions_before_and_after_a_suspension(rig: Rig) -> object:
    async def at_once() -> None:
        raise ValueError("x")

    async def later() -> None:
        await asyncio.sleep(0)
        raise ValueError("y")

    return await rig.submit([at_once, later])


@check
async def a_cancelled_error_that_nobody_asked_for(rig: Rig) -> object:
    async def at_once() -> None:
        raise asyncio.CancelledError("z")

    async def later() -> None:
        await asyncio.sleep(0)
        raise asyncio.CancelledError("z")

    async def fine() -> str:
        await asyncio.sleep(0)
        return "ok"

    return await rig.submit([at_once, later, fine])


@check
async def a_task_awaits_itself(rig: Rig) -> object:
    async def handler() -> str:
        try:
            await me()
        except RuntimeError as error:
            return str(error)[:28]
        return "no error"

    return await rig.submit([handler])


@check
async def a_future_of_another_loop_is_refused(rig: Rig) -> object:
    other = asyncio.new_event_loop()
    future = other.create_future()

    async def handler() -> bool:
        try:
            await future
        except RuntimeError as error:
            return "different loop" in str(error)
        return False

    result = await rig.submit([handler])
    other.close()
    return result


@check
async def something_that_is_not_awaitable_is_refused(rig: Rig) -> object:
    class Bad:
        def __await__(self) -> Any:
            yield 42

    async def handler() -> str:
        try:
            await Bad()
        except RuntimeError as error:
            return str(error)[:20]
        return "no error"

    return await rig.submit([handler, handler])


@check
async def an_eager_task_factory_works(rig: Rig) -> object:
    factory = getattr(asyncio, "eager_task_factory", None)
    if factory is None:
        return "no eager tasks here"
    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    try:
        probe = asyncio.sleep(0)
        try:
            await asyncio.create_task(probe)
        except TypeError:
            probe.close()
            return "this loop does not know eager tasks"

        async def quick() -> bool:
            return asyncio.current_task() is not None

        async def slow() -> bool:
            await asyncio.sleep(0.01)
            return asyncio.current_task() is not None

        async def bad() -> None:
            raise ValueError

        async def handler() -> object:
            mine = me()
            first, second = asyncio.create_task(quick()), asyncio.create_task(slow())
            still = me() is mine
            out: list[object] = list(await asyncio.gather(first, second))
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(bad())
                    await asyncio.sleep(1)
            except* ValueError:
                out.append("group")
            return still, out, me() is mine

        async def small() -> bool:
            await asyncio.create_task(quick())
            return asyncio.current_task() is not None

        return await rig.submit([handler, small, handler])
    finally:
        loop.set_task_factory(None)


@check
async def anyio_scopes_groups_and_threads(rig: Rig) -> object:
    import anyio
    import anyio.from_thread
    import anyio.to_thread

    async def scopes() -> object:
        out: list[object] = []
        with anyio.move_on_after(0) as scope:
            await anyio.sleep(1)
        out.append(scope.cancelled_caught)
        try:
            with anyio.fail_after(0.01):
                await anyio.sleep(1)
        except TimeoutError:
            out.append("fail_after")
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0.001)
            group.start_soon(anyio.sleep, 5)
            await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        out.append("group")
        return out

    async def cancelled_scope() -> object:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anyio.sleep(1)
        return scope.cancelled_caught, me().cancelling()

    async def unused_cancellation() -> object:
        with anyio.CancelScope() as scope:
            scope.cancel()
        return scope.cancelled_caught, me().cancelling()

    async def threads() -> bool:
        ident = await anyio.to_thread.run_sync(threading.get_ident)

        def inside() -> None:
            anyio.from_thread.run(anyio.sleep, 0)

        await anyio.to_thread.run_sync(inside)
        return ident != threading.get_ident()

    async def nested() -> object:
        async with anyio.create_task_group() as outer, anyio.create_task_group() as inner:
            inner.start_soon(anyio.sleep, 5)
            outer.cancel_scope.cancel()
            await anyio.sleep(1)
        return "nested", me().cancelling()

    return await rig.submit([scopes, cancelled_scope, unused_cancellation, threads, nested])


@check
async def the_stack_of_a_suspended_handler_is_its_own(rig: Rig) -> object:
    known: list[asyncio.Task[Any]] = []

    async def handler() -> int:
        known.append(me())
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(2 * PATIENCE)
        return 1

    async def look() -> object:
        await asyncio.sleep(0.01)
        text = io.StringIO()
        known[0].print_stack(file=text)
        frames = [frame.f_code.co_name for frame in known[0].get_stack()]
        known[0].cancel()
        return "no stack" in text.getvalue(), bool(frames)

    return await rig.submit([handler, look])


@check
async def one_task_waits_for_another_request(rig: Rig) -> object:
    known: list[asyncio.Task[Any]] = []

    async def handler() -> int:
        known.append(me())
        await asyncio.sleep(0.02)
        return 1

    async def other() -> str:
        await asyncio.sleep(0.001)
        done, pending = await asyncio.wait([known[0]], timeout=PATIENCE)
        return f"{len(done)} {len(pending)}"

    return await rig.submit([handler, other])


@check
async def an_aiohttp_client_works_in_a_handler(rig: Rig) -> object:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hi")

    application = web.Application()
    application.router.add_get("/", hello)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]

    async def handler() -> str:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.get(f"http://127.0.0.1:{port}/") as response:
                text: str = await response.text()
                return text

    result = await rig.submit([handler, handler])
    await runner.cleanup()
    return result


@check
async def an_httpx2_client_works_in_a_handler(rig: Rig) -> object:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async with (
        await asyncio.start_server(hello, "127.0.0.1", 0) as speaks,
        await asyncio.start_server(silence, "127.0.0.1", 0) as waits,
    ):
        urls = [
            f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/" for server in (speaks, waits)
        ]

        async def handler() -> str:
            async with httpx2.AsyncClient(timeout=PATIENCE) as client:
                answers = await asyncio.gather(*(client.get(urls[0]) for _ in range(2)))
                return " ".join(answer.text for answer in answers)

        async def late() -> str:
            # A busy machine may take its time to connect.
            timeout = httpx2.Timeout(PATIENCE, read=0.05)
            async with httpx2.AsyncClient(timeout=timeout) as client:
                try:
                    await client.get(urls[1])
                except httpx2.TimeoutException as error:
                    return f"{type(error).__name__} {me().cancelling()}"
            return "an answer"

        return await rig.submit([handler, late, handler])


@check
async def the_handled_exception_does_not_leak(rig: Rig) -> object:
    async def handler() -> str:
        try:
            raise ValueError
        except ValueError:
            await asyncio.sleep(0)
            kind = sys.exc_info()[0]
            return kind.__name__ if kind else "none"

    async def look() -> object:
        return sys.exc_info()[0]

    return await rig.submit([handler, look, handler, look])


@check
async def many_suspended_requests_leave_nothing_behind(rig: Rig) -> object:
    async def handler() -> int:
        await asyncio.sleep(0.01)
        return 1

    await rig.submit([handler] * 100)
    gc.collect()
    tasks = len(asyncio.all_tasks())
    results = await rig.submit([handler] * 2000)
    await asyncio.sleep(0)
    gc.collect()
    # By the type itself: some objects of others do things when they are asked for their class.
    tasks_left = [thing for thing in gc.get_objects() if issubclass(type(thing), asyncio.Task)]
    alive = sum(not task.done() for task in tasks_left)
    return len(results), set(map(str, results)), len(asyncio.all_tasks()) - tasks, alive < 50
