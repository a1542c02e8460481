"""What a handler should not do with its task or its loop, and does. As in checks.py: the plain Task is the oracle."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from .checks import Check, me
from .rig import Rig

ATTACKS: dict[str, Check] = {}
number: contextvars.ContextVar[int] = contextvars.ContextVar("attacks_number", default=0)


def attack(function: Check) -> Check:
    ATTACKS[function.__name__] = function
    return function


async def quick() -> object:
    return "quick", me().cancelling()


async def suspending() -> object:
    task = me()
    await asyncio.sleep(0.001)
    return "suspended", me() is task, task.cancelling()


def refused(call: Callable[[], object]) -> str:
    try:
        call()
    except BaseException as error:  # noqa: BLE001  (its name is the result)
        return f"{type(error).__name__}: {error}"
    return "not refused"


# ---- loops in loops


@attack
async def asyncio_run_inside_is_refused(rig: Rig) -> object:
    def attempt() -> str:
        coro = suspending()
        try:
            return refused(lambda: asyncio.run(coro))
        finally:
            coro.close()

    async def at_once() -> object:
        return attempt()

    async def later() -> object:
        await asyncio.sleep(0)
        return attempt()

    return await rig.submit([at_once, later, quick, suspending])


@attack
async def running_the_loop_inside_is_refused(rig: Rig) -> object:
    loop = asyncio.get_running_loop()

    def attempt() -> str:
        return refused(lambda: loop.run_until_complete(loop.create_future()))

    async def at_once() -> object:
        return attempt()

    async def later() -> object:
        await asyncio.sleep(0)
        return attempt()

    return await rig.submit([at_once, later, quick, suspending])


# ---- coroutines and exceptions


@attack
async def a_handler_closes_its_own_coroutine(rig: Rig) -> object:
    async def at_once() -> object:
        coro: Any = me().get_coro()
        return refused(coro.close)

    async def later() -> object:
        await asyncio.sleep(0)
        coro: Any = me().get_coro()
        return refused(coro.close)

    return await rig.submit([at_once, later, suspending, quick])


@attack
async def a_generator_exit_is_answered(rig: Rig) -> object:
    async def at_once() -> None:
        raise GeneratorExit("at once")

    async def later() -> None:
        await asyncio.sleep(0)
        raise GeneratorExit("later")

    return await rig.submit([at_once, later, suspending, quick])


@attack
async def a_stop_iteration_is_answered(rig: Rig) -> object:
    async def at_once() -> None:
        raise StopIteration("at once")

    async def later() -> None:
        await asyncio.sleep(0)
        raise StopIteration("later")

    async def of_a_future() -> object:
        future = asyncio.get_running_loop().create_future()
        return refused(lambda: future.set_exception(StopIteration()))

    return await rig.submit([at_once, later, of_a_future, quick])


@attack
async def an_exception_that_cannot_be_shown_is_answered(rig: Rig) -> object:
    class Unshowable(Exception):
        def __repr__(self) -> str:
            raise RuntimeError("no")

    async def at_once() -> None:
        raise Unshowable("shown")

    async def later() -> None:
        me().set_name("touched")
        await asyncio.sleep(0)
        raise Unshowable("shown")

    return await rig.submit([at_once, later, quick])


@attack
async def coroutines_know_their_origin_where_that_is_tracked(rig: Rig) -> object:
    async def child() -> None:
        pass

    async def handler() -> object:
        former = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(3)
        try:
            coro: Any = child()
            origin = coro.cr_origin
            coro.close()
            await asyncio.sleep(0)
            return [name for _, _, name in origin][:1]
        finally:
            sys.set_coroutine_origin_tracking_depth(former)

    return await rig.submit([handler, quick, handler])


# ---- exceptions that have been answered are nobody's any more


@attack
async def an_answered_exception_is_not_called_unretrieved(rig: Rig) -> object:
    async def after_a_timeout() -> None:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(1)

    async def after_a_name() -> None:
        me().set_name("touched")
        await asyncio.sleep(0)
        raise ValueError("answered")

    async def after_a_group() -> None:
        async def failing() -> None:
            raise ValueError("in a group")

        async with asyncio.TaskGroup() as group:
            group.create_task(failing())
            await asyncio.sleep(1)

    async def watched() -> None:
        me().add_done_callback(lambda task: None)
        await asyncio.sleep(0)
        raise ValueError("answered")

    result = await rig.submit([after_a_timeout, after_a_name, after_a_group, watched])
    await asyncio.sleep(0)
    gc.collect()
    return result


# ---- cancellation


@attack
async def a_cancellation_in_the_last_step_counts(rig: Rig) -> object:
    async def at_once() -> str:
        me().cancel()
        return "returned"

    async def later() -> str:
        await asyncio.sleep(0)
        me().cancel()
        return "returned"

    async def taken_back() -> str:
        await asyncio.sleep(0)
        me().cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            me().uncancel()
        return "returned"

    return await rig.submit([at_once, later, taken_back, quick, suspending])


@attack
async def a_task_that_ends_cancelled_says_so(rig: Rig) -> object:
    known: list[asyncio.Task[Any]] = []
    future = asyncio.get_running_loop().create_future()
    future.cancel()

    async def at_once() -> None:
        known.append(me())
        await future

    async def later() -> None:
        known.append(me())
        await asyncio.sleep(0)
        await future

    result = await rig.submit([at_once, later])
    await asyncio.sleep(0.001)
    return result, [(task.done(), task.cancelled()) for task in known]


@attack
async def a_cancelled_task_awaits_what_it_cannot(rig: Rig) -> object:
    other = asyncio.new_event_loop()
    foreign = other.create_future()

    class Bad:
        def __await__(self) -> Any:
            yield 42

    def handler(make: Callable[[], Awaitable[object]]) -> Callable[[], Coroutine[Any, Any, object]]:
        async def run() -> object:
            me().cancel("first")
            try:
                await make()
            except BaseException as error:  # noqa: BLE001  (its name is the result)
                caught = type(error).__name__, str(error)
            return caught, me().cancelling(), foreign.cancelled()

        return run

    result = await rig.submit([handler(me), handler(Bad), handler(lambda: foreign), quick])
    other.close()
    return result


@attack
async def cancelling_all_the_time_ends_in_order(rig: Rig) -> object:
    async def handler() -> object:
        seen: list[object] = []
        for turn in range(4):
            me().cancel(str(turn))
            me().cancel("again")
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError as error:
                seen.append((str(error), me().cancelling()))
        return seen

    return await rig.submit([handler, quick, handler])


@attack
async def a_cancelled_wait_leaves_its_future_alone_where_it_is_shielded(rig: Rig) -> object:
    future = asyncio.get_running_loop().create_future()

    async def handler() -> object:
        asyncio.get_running_loop().call_later(0.002, future.set_result, "kept")
        me().cancel()
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            me().uncancel()
        return await future

    return await rig.submit([handler])


# ---- what runs beside a handler


@attack
async def callbacks_of_a_handler_run_in_no_task(rig: Rig) -> object:
    loop = asyncio.get_running_loop()
    seen: list[object] = []

    def look(value: str) -> None:
        seen.append((value, asyncio.current_task(), number.get()))

    async def handler() -> str:
        number.set(7)
        loop.call_soon(look, "soon")
        loop.call_later(0.001, look, "later")
        loop.call_soon_threadsafe(look, "threadsafe")
        return "done"

    async def then() -> object:
        number.set(8)
        loop.call_soon(look, "soon")
        await asyncio.sleep(0.003)
        return number.get()

    result = await rig.submit([handler, then, quick])
    await asyncio.sleep(0.005)
    return result, sorted(seen, key=repr)


@attack
async def inline_handlers_run_in_no_task(rig: Rig) -> object:
    def inline() -> object:
        task = asyncio.current_task()
        return None if task is None else "a task of somebody else"

    inline.kind = "inline"  # type: ignore[attr-defined]  # read by the rig

    return await rig.submit([quick, inline, suspending, inline, inline, quick])


@attack
async def a_suspended_handler_survives_collections(rig: Rig) -> object:
    async def handler() -> object:
        # Nobody but the handler knows this future and its task.
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.005, future.set_result, "set")
        me().add_done_callback(lambda task: None)
        return await future

    async def collecting() -> str:
        for _ in range(3):
            gc.collect()
            await asyncio.sleep(0.001)
        return "collected"

    return await rig.submit([handler, collecting, handler])


@attack
async def children_inherit_the_context_and_keep_theirs(rig: Rig) -> object:
    async def child(value: int) -> int:
        before = number.get()
        number.set(value)
        await asyncio.sleep(0)
        return before * 10 + number.get()

    async def handler() -> object:
        number.set(3)
        at_once = await asyncio.gather(child(4), child(5))
        await asyncio.sleep(0)
        number.set(6)
        return at_once, await asyncio.create_task(child(7)), number.get()

    async def other() -> object:
        return number.get(), await child(1), contextvars.copy_context().get(number)

    return await rig.submit([handler, other, handler, other])


@attack
async def asynchronous_generators_are_closed_with_their_task(rig: Rig) -> object:
    seen: list[str] = []

    async def chunks() -> Any:
        try:
            for value in range(5):
                await asyncio.sleep(0)
                yield value
        finally:
            await asyncio.sleep(0)
            seen.append("closed")

    async def left_open() -> int:
        async for value in chunks():
            if value == 2:
                return int(value)
        return -1

    result = await rig.submit([left_open, quick, left_open])
    gc.collect()
    # It takes some turns of the loop to close them.
    for _ in range(100):
        await asyncio.sleep(0)
    return result, seen
