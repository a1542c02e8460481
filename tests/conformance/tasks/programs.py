"""Small programs for the handlers of one batch, and how they are run.

A program is data: a tuple of operations, some of which hold programs. Handlers see each other through shared futures,
one event, and each other's tasks. Where handlers meet is fixed: in the first step, in the order of the batch, and later
at points in virtual time that belong to one handler each. So nothing depends on how many turns the loop takes.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hypothesis import strategies as st

from .rig import Kind, Rig
from .virtual import VirtualLoop

Operation = tuple[Any, ...]
Program = tuple[Operation, ...]

SHARED = 3
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

# ---- what is generated

plain_operations = st.one_of(
    st.tuples(st.just("turn")),
    st.tuples(st.just("sleep"), st.sampled_from([0.017, 0.37, 2.3])),
    st.tuples(st.just("future"), st.integers(0, SHARED - 1)),
    st.tuples(st.just("event")),
    st.tuples(st.just("cancel me")),
    st.tuples(st.just("uncancel")),
    st.tuples(st.just("variable"), st.sampled_from("ab")),
    st.tuples(st.just("name"), st.sampled_from("cd")),
    st.tuples(st.just("attribute")),
    st.tuples(st.just("callback")),
    st.tuples(st.just("weak")),
    st.tuples(st.just("await me")),
    st.tuples(st.just("raise"), st.sampled_from(["ValueError", "CancelledError", "BaseException"])),
)
# These reach other handlers.
outward_operations = st.one_of(
    st.tuples(st.just("cancel"), st.integers(0, 3)),
    st.tuples(st.just("set"), st.integers(0, SHARED - 1)),
    st.tuples(st.just("fail"), st.integers(0, SHARED - 1)),
    st.tuples(st.just("cancel future"), st.integers(0, SHARED - 1)),
    st.tuples(st.just("set event")),
    st.tuples(st.just("wait for"), st.integers(0, 3)),
)


def nested(inner: st.SearchStrategy[Operation]) -> st.SearchStrategy[Operation]:
    program = st.lists(inner, max_size=3).map(tuple)
    limit = st.sampled_from([0, 0.059, 1.53, 50])
    return st.one_of(
        st.tuples(st.just("timeout"), limit, program),
        st.tuples(st.just("wait_for"), limit, program),
        st.tuples(st.just("child"), program),
        st.tuples(st.just("spawn"), program),
        st.tuples(st.just("shield"), program),
        st.tuples(st.just("group"), program, program),
        st.tuples(st.just("try"), program),
        st.tuples(st.just("finally"), program),
    )


operations = st.recursive(plain_operations, nested, max_leaves=5)
# What happens in the first step; then, each at a time of its own, what happens later.
first_parts = st.tuples(
    st.lists(outward_operations, max_size=2).map(tuple),
    st.lists(operations, max_size=3).map(tuple),
).map(lambda parts: parts[0] + parts[1])
later_parts = st.lists(st.one_of(operations, outward_operations), max_size=3).map(tuple)
programs = st.tuples(first_parts, st.lists(later_parts, max_size=2).map(tuple)).map(
    lambda parts: (parts[0], *parts[1])
)
batches = st.lists(programs, min_size=2, max_size=4)

# ---- how it is run

ERRORS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("raised"),
    "CancelledError": lambda: asyncio.CancelledError("raised"),
    "BaseException": lambda: BaseException("raised"),
}


class World:
    """What the handlers of one batch share, and what was seen of them."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.futures = [loop.create_future() for _ in range(SHARED)]
        self.event = asyncio.Event()
        self.tasks: dict[int, asyncio.Task[Any]] = {}
        self.seen: dict[int, list[object]] = {}
        self.callbacks: list[object] = []
        self.weak: list[Any] = []
        self.ended: set[int] = set()
        self.spawned: list[asyncio.Task[None]] = []


class Runner:
    """One handler, or a child task of one."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.number = number
        self.seen = world.seen.setdefault(number, [])
        self.part = 0

    def note(self, *what: object) -> None:
        self.seen.append(what)

    async def handle(self, program: tuple[Program, ...]) -> object:
        loop = asyncio.get_running_loop()
        task = me()
        self.world.tasks[self.number] = task
        try:
            for part, operations in enumerate(program):
                self.part = part
                if part:
                    await asyncio.sleep(max(0.0, part * 10 + self.number - loop.time()))
                await self.run(operations)
        except BaseException as error:
            self.note("left with", describe(error))
            raise
        finally:
            self.note(
                "state",
                me() is task,
                task.cancelling(),
                variable.get(),
                task.get_name() if task.get_name() in "cd" else "",
                getattr(task, "mark", None),
            )
            self.world.ended.add(self.number)
        return self.number

    async def run(self, operations: Program) -> None:
        for operation in operations:
            name, *arguments = operation
            method: Callable[..., Awaitable[None]] = getattr(self, "do_" + name.replace(" ", "_"))
            await method(*arguments)

    async def do_turn(self) -> None:
        await asyncio.sleep(0)

    async def do_sleep(self, seconds: float) -> None:
        # No two handlers wake at the same time.
        await asyncio.sleep(seconds + self.number / 1000)

    async def do_future(self, index: int) -> None:
        self.note("future", await self.world.futures[index])

    async def do_event(self) -> None:
        await self.world.event.wait()
        self.note("event")

    async def do_cancel_me(self) -> None:
        self.note("cancel me", me().cancel(f"by {self.number}"))

    async def do_uncancel(self) -> None:
        if me().cancelling():
            self.note("uncancel", me().uncancel())

    async def do_variable(self, value: str) -> None:
        self.note("variable was", variable.get())
        variable.set(value)

    async def do_name(self, value: str) -> None:
        me().set_name(value)

    async def do_attribute(self) -> None:
        me().mark = self.number  # type: ignore[attr-defined]  # a task takes any attribute

    async def do_callback(self) -> None:
        number, callbacks = self.number, self.world.callbacks

        def done(task: asyncio.Task[Any]) -> None:
            callbacks.append((number, task.cancelled()))
            if not task.cancelled():
                task.exception()

        me().add_done_callback(done)

    async def do_weak(self) -> None:
        self.world.weak.append(weakref.ref(me()))

    async def do_await_me(self) -> None:
        try:
            await me()
        except RuntimeError as error:
            self.note(str(error)[:26])

    async def do_raise(self, name: str) -> None:
        error = ERRORS[name]()
        raise error

    async def do_cancel(self, number: int) -> None:
        task = self.world.tasks.get(number)
        if sys.version_info < (3, 12) and self.part == 0:
            # A Task that was made for this batch begins in the loop's next turn there, and is not waiting yet.
            return
        if task is not None and number != self.number and number not in self.world.ended:
            self.note("cancel", number, task.cancel("by another"))

    async def do_wait_for(self, first: Any, program: Program | None = None) -> None:
        if program is None:
            task = self.world.tasks.get(first)
            if task is not None and first != self.number:
                done, _ = await asyncio.wait([task], timeout=25)
                self.note("waited", [other.cancelled() for other in done])
            return
        try:
            await asyncio.wait_for(self.child(program), first and first + self.number / 1000)
        except TimeoutError:
            self.note("timed out waiting", me().cancelling())

    async def do_set(self, index: int) -> None:
        future = self.world.futures[index]
        if not future.done():
            future.set_result(self.number)

    async def do_fail(self, index: int) -> None:
        future = self.world.futures[index]
        if not future.done():
            future.set_exception(KeyError("failed"))
            future.exception()

    async def do_cancel_future(self, index: int) -> None:
        self.note("cancel future", self.world.futures[index].cancel())

    async def do_set_event(self) -> None:
        self.world.event.set()

    async def child(self, program: Program) -> None:
        # Its operations are written down with the handler's: they take place at the handler's times.
        inner = Runner(self.world, self.number)
        inner.part = self.part
        try:
            await inner.run(program)
        except BaseException as error:
            self.note("child left with", describe(error), me().cancelling())
            raise

    def start(self, program: Program) -> asyncio.Task[None]:
        return asyncio.create_task(self.child(program))

    async def do_timeout(self, limit: float, program: Program) -> None:
        try:
            async with asyncio.timeout(limit and limit + self.number / 1000):
                await self.run(program)
        except TimeoutError:
            self.note("timed out", me().cancelling())

    async def do_child(self, program: Program) -> None:
        task = self.start(program)
        self.world.spawned.append(task)
        await task

    async def do_spawn(self, program: Program) -> None:
        self.world.spawned.append(self.start(program))

    async def do_shield(self, program: Program) -> None:
        task = self.start(program)
        self.world.spawned.append(task)
        try:
            await asyncio.shield(task)
        finally:
            self.note("shielded", task.cancelled())

    async def do_group(self, first: Program, second: Program) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.child(first))
                await self.run(second)
        except* ValueError:
            self.note("group failed", me().cancelling())

    async def do_try(self, program: Program) -> None:
        try:
            await self.run(program)
        except asyncio.CancelledError as error:
            self.note("caught", describe(error), me().cancelling())
        except ValueError:
            self.note("caught ValueError")

    async def do_finally(self, program: Program) -> None:
        try:
            await self.run(program)
        finally:
            await asyncio.sleep(0)
            self.note("cleaned up", me().cancelling())


def me() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


def describe(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return f"group({', '.join(sorted(map(describe, error.exceptions)))})"
    return f"{type(error).__name__}({', '.join(map(str, error.args))[:40]})"


async def probe() -> object:
    """What the next request sees of the ones before: nothing."""
    task = me()
    mark = getattr(task, "mark", None)
    name = task.get_name() if task.get_name() in "cd" else ""
    before = task.cancelling(), mark, name, variable.get()
    await asyncio.sleep(0)
    return before, task.cancelling(), me() is task


def outcome(batch: list[tuple[Program, ...]], kind: Kind) -> dict[str, object]:
    """What can be seen of a batch: what it answers, what the handlers saw, and what is left behind."""
    complaints: list[str] = []

    async def main() -> dict[str, object]:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: complaints.append(
                f"{context.get('message')}: {context.get('exception')!r}"[:120]
            )
        )
        world = World()
        rig = Rig(kind)

        def handler(
            number: int, program: tuple[Program, ...]
        ) -> Callable[[], Coroutine[Any, Any, object]]:
            return lambda: Runner(world, number).handle(program)

        before = asyncio.all_tasks()
        results = await rig.submit(
            [handler(number, program) for number, program in enumerate(batch)], wait=200
        )
        after = await rig.submit([probe, probe], wait=50)
        await asyncio.sleep(200)
        for task in world.spawned:
            # One after another: at the end of the loop they are cancelled in no order.
            task.cancel()
            await asyncio.wait([task])
            task.cancelled() or task.exception()
        left = [task.done() for task in asyncio.all_tasks() - before]
        tasks = [
            (number, task.done(), task.cancelled()) for number, task in sorted(world.tasks.items())
        ]
        rig.close()
        return {
            "results": results,
            "after": after,
            "seen": world.seen,
            "callbacks": sorted(world.callbacks, key=repr),
            "tasks": tasks,
            "left": left,
        }

    # The collection need not look at what was there before.
    gc.freeze()
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        seen = runner.run(main())
    gc.collect()
    seen["complaints"] = sorted(
        complaint.replace("RequestTask", "Task") for complaint in complaints
    )
    return seen


def compare(batch: list[tuple[Program, ...]]) -> tuple[dict[str, object], dict[str, object]]:
    return outcome(batch, "carrier"), outcome(batch, "plain")
