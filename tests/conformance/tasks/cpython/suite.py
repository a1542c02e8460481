"""CPython's own tests of tasks, as the bodies of handlers.

They are imported from the interpreter that runs us; nothing of them is kept here.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import io
import logging
import unittest
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from tests.conformance.tasks.loops import new_loop
from tests.conformance.tasks.rig import Kind
from tests.waiting import PATIENCE

from .standin import CarriedTask, Engine, task_factory

Way = Literal["handler", "tasks"]
"""handler: the test's body is a handler. tasks: every task that the test makes is one."""

PACKAGE = "test.test_asyncio"
HOW_TO_GET_IT = "Debian and Ubuntu have it as libpython3.X-testsuite, Fedora as python3-test; pyenv, uv and python.org install it"
# Classes of test_tasks that have their own loops; a subclass gets our stand-in for a Task.
WITH_LOOPS = [
    "BaseTaskTests",
    "FutureGatherTests",
    "CoroutineGatherTests",
    "SleepTests",
    "RunCoroutineThreadsafeTests",
]
AS_HANDLERS = ["test_timeouts", "test_taskgroups", "test_waitfor"]


@dataclass(frozen=True)
class Case:
    """One test method."""

    module: str
    owner: str
    method: str

    def __str__(self) -> str:
        return f"{self.module}.{self.owner}.{self.method}"


def module(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


def is_installed() -> bool:
    try:
        module("test_tasks")
    except ImportError:
        return False
    return True


def cases_with_loops() -> list[Case]:
    tests = module("test_tasks")
    return [
        Case("test_tasks", owner, method)
        for owner in WITH_LOOPS
        for method in unittest.defaultTestLoader.getTestCaseNames(getattr(tests, owner))
    ]


def cases_as_handlers() -> list[Case]:
    return [
        Case(name, owner, method)
        for name in AS_HANDLERS
        for owner, case in sorted(vars(module(name)).items())
        if isinstance(case, type) and issubclass(case, unittest.IsolatedAsyncioTestCase)
        for method in unittest.defaultTestLoader.getTestCaseNames(case)
    ]


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """CPython's tests leave coroutines, warnings and log records behind on purpose."""
    logger = logging.getLogger("asyncio")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)


def mocked_loop(gen: Any) -> Any:
    """CPython's loop with a clock of its own, on which the engine's timers do not show."""
    base = module("utils").TestLoop

    class Loop(base):  # type: ignore[misc, valid-type]  # its base is known at run time only
        def call_later(self, delay: float, callback: Any, *args: Any, **options: Any) -> Any:
            if isinstance(getattr(callback, "__self__", None), Engine.server_type):
                return asyncio.TimerHandle(0, callback, args, self)
            return super().call_later(delay, callback, *args, **options)

    return Loop(gen)


def with_stand_ins(case: Case, loop: str) -> Any:
    """The test's class, its tasks being requests and its loops those of `loop`."""
    base = getattr(module("test_tasks"), case.owner)
    utils = module("utils")

    class Carried(base, *(() if issubclass(base, utils.TestCase) else (utils.TestCase,))):  # type: ignore[misc, valid-type]  # its base is known at run time only
        Task = CarriedTask
        Future = asyncio.Future
        current_task = staticmethod(asyncio.current_task)
        all_tasks = staticmethod(asyncio.all_tasks)

        @staticmethod
        def close_loop(loop: asyncio.AbstractEventLoop) -> None:
            if not loop.is_closed():
                loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

        def new_test_loop(self, gen: Any = None) -> Any:
            made = mocked_loop(gen) if loop == "asyncio" else new_loop(loop)
            made.set_task_factory(task_factory)
            self.set_event_loop(made)
            return made

        def setUp(self) -> None:
            super().setUp()
            for name in ("loop", "one_loop", "other_loop"):
                if hasattr(self, name):
                    getattr(self, name).set_task_factory(task_factory)

    Carried.__name__ = Carried.__qualname__ = case.owner
    return Carried(case.method)


def run_with_loops(case: Case, kind: Kind, loop: str) -> str:
    """Runs one test whose tasks are requests; "passed" or what went wrong."""
    result = unittest.TestResult()
    with quietly(), Engine.of_kind(kind):
        with_stand_ins(case, loop).run(result)
    if result.skipped:
        pytest.skip(result.skipped[0][1])
    return "".join(text for _, text in [*result.errors, *result.failures]) or "passed"


async def staged(case: Case) -> None:
    """One test method with what goes before and after it: each of them the coroutine of a request of its own."""
    made = getattr(module(case.module), case.owner)(case.method)

    async def stage(function: Any, *args: Any, **options: Any) -> None:
        value = function(*args, **options)
        if inspect.iscoroutine(value):
            await asyncio.wait_for(CarriedTask(value), 2 * PATIENCE)

    try:
        for name in ("setUp", "asyncSetUp", case.method):
            await stage(getattr(made, name))
    finally:
        for name in ("asyncTearDown", "tearDown"):
            await stage(getattr(made, name))
        while made._cleanups:
            function, args, options = made._cleanups.pop()
            await stage(function, *args, **options)


def run_as_handler(case: Case, kind: Kind, loop: str, way: Way) -> None:
    """Runs one test as a handler. Raises what the test raises."""
    loop_factory = getattr(getattr(module(case.module), case.owner), "loop_factory", None)

    def make_loop() -> asyncio.AbstractEventLoop:
        made: asyncio.AbstractEventLoop = (
            loop_factory() if loop_factory and loop == "asyncio" else new_loop(loop)
        )
        if way == "tasks":
            made.set_task_factory(task_factory)
        return made

    with quietly(), Engine.of_kind(kind), asyncio.Runner(loop_factory=make_loop) as runner:
        running = runner.get_loop()
        main = asyncio.Task(staged(case), loop=running)
        running.run_until_complete(main)
