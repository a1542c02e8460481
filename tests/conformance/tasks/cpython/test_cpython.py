"""What CPython expects of a task holds for the task of a request."""

from __future__ import annotations

import time
import unittest
from typing import Any

import pytest

from tests.needs import need

from . import exclusions, suite

need(suite.is_installed(), f"{suite.PACKAGE} in this Python", remedy=suite.HOW_TO_GET_IT)

# How a test is run: on which loop, and whether its body alone or every task that it makes is a request.
SETTINGS: list[tuple[str, suite.Way]] = [
    ("asyncio", "handler"),
    ("uvloop", "handler"),
    ("asyncio", "tasks"),
    ("uvloop", "tasks"),
]
# These sleep for seconds: once is enough.
SLOW = {"test_taskgroup_23"}
# These fail where they take a second of the clock, which a machine that is held up takes now and then: where that was so they are run again.
HURRIED = {"test_nested_timeouts_loop_busy"}

pytestmark = [
    # What their tests leave behind on purpose is not ours to judge.
    pytest.mark.filterwarnings("ignore"),
]


def with_loops() -> list[Any]:
    return [
        pytest.param(case, loop, id=f"{loop}-{case}")
        for case in suite.cases_with_loops()
        for loop in ("asyncio", "uvloop")
        if exclusions.reason(case, loop, None) is None
    ]


def as_handlers() -> list[Any]:
    return [
        pytest.param(
            case,
            loop,
            way,
            id=f"{loop}-{way}-{case}",
            marks=[pytest.mark.long] if (loop, way) == ("uvloop", "tasks") else [],
        )
        for case in suite.cases_as_handlers()
        for loop, way in SETTINGS
        if exclusions.reason(case, loop, way) is None
        if case.method not in SLOW or (loop, way) == SETTINGS[0]
    ]


def test_the_tests_of_cpython_are_run() -> None:
    assert len(with_loops()) > 200
    assert len(as_handlers()) > 200


@pytest.mark.parametrize(("case", "loop"), with_loops())
def test_a_request_is_the_task_that_cpython_tests(case: suite.Case, loop: str) -> None:
    assert suite.run_with_loops(case, "carrier", loop) == "passed"


@pytest.mark.parametrize(("case", "loop", "way"), as_handlers())
def test_a_handler_does_what_cpython_tests(case: suite.Case, loop: str, way: suite.Way) -> None:
    for left in reversed(range(5 if case.method in HURRIED else 1)):
        begun = time.monotonic()
        try:
            suite.run_as_handler(case, "carrier", loop, way)
        except unittest.SkipTest as skipped:
            pytest.skip(str(skipped))
        except AssertionError:
            if not left or time.monotonic() - begun < 1:
                raise
        else:
            return


def test_every_class_of_test_tasks_is_run_or_excluded_by_name() -> None:
    found = {
        name
        for name, case in vars(suite.module("test_tasks")).items()
        if isinstance(case, type) and issubclass(case, unittest.TestCase)
        # Imported by the module, not a test of it.
        if case.__module__.endswith("test_tasks")
    }

    assert found - set(suite.WITH_LOOPS) - set(exclusions.CLASSES) == set()


def test_every_exclusion_names_a_test_that_exists() -> None:
    known = {case.method for case in [*suite.cases_with_loops(), *suite.cases_as_handlers()]}

    assert exclusions.names() - known == set()
