"""What a supervisor hands to a template for a worker, however much it is."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any, cast

import pytest

from kingpost.server import child, template
from kingpost.server.child import Line
from kingpost.server.forked import Order
from kingpost.server.template import Template

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers are forked")


class Pair:
    """A template, and its supervisor's end of the line."""

    def __init__(self, stack: ExitStack) -> None:
        ours, theirs = socket.socketpair()
        stack.callback(ours.close)
        stack.callback(theirs.close)
        self.line = Line(ours)
        self.template = Template(cast("Any", None), theirs)

    def order(self, descriptors: list[int], key: str = "7") -> None:
        template.order(self.line, descriptors, key=key, slot="1", lane="0")

    def hear(self) -> list[Order]:
        """What the template has understood."""
        self.template._line.socket.settimeout(0)
        orders: list[Order] = []
        while (heard := self.template._hear()) is not None:
            orders += heard
        return orders


@pytest.fixture
def pair() -> Generator[Pair]:
    with ExitStack() as stack:
        yield Pair(stack)


@pytest.fixture
def opened() -> Generator[list[int]]:
    """So many descriptors that several messages carry them, each of a file of its own."""
    found = [os.memfd_create(str(number)) for number in range(300)]
    yield found
    for number in found:
        os.close(number)


def inode(number: int) -> int:
    return os.fstat(number).st_ino


def taken(order: Order) -> list[int]:
    """The files that an order came with; they are closed."""
    numbers = [order.line, *order.listening]
    assert not any(os.get_inheritable(number) for number in numbers)
    files = [inode(number) for number in numbers]
    for number in numbers:
        os.close(number)
    return files


linux = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="makes files of no name")


@linux
@pytest.mark.parametrize("count", [1, 2, 128, 129, 300])
def test_a_worker_is_given_all_sockets_in_their_order(
    pair: Pair, opened: list[int], count: int
) -> None:
    pair.order(opened[:count], "one")
    pair.order(opened[:2], "two")

    one, two = pair.hear()

    assert (one.key, one.slot, one.lane, two.key) == ("one", 1, 0, "two")
    assert taken(one) == [inode(number) for number in opened[:count]]
    assert taken(two) == [inode(number) for number in opened[:2]]


@linux
def test_what_came_for_an_order_that_was_not_finished_is_forgotten(
    pair: Pair, opened: list[int]
) -> None:
    begun = {"say": child.HAND, "first": "yes", "descriptors": "3"}
    socket.send_fds(pair.line.socket, [json.dumps(begun).encode() + b"\n"], opened[:3])
    pair.order(opened[:200])

    (order,) = pair.hear()

    assert taken(order) == [inode(number) for number in opened[:200]]


@linux
def test_a_template_that_may_not_have_so_many_says_so_and_takes_the_next_order(
    pair: Pair, opened: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    pair.order(opened)
    # The numbers below are taken, but for some.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(opened) + 50, before[1]))
    try:
        assert pair.hear() == []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "its 300 descriptors are more than a process may have here" in caplog.text
    assert pair.line.receive() == [{"say": child.ENDED, "key": "7", "status": ""}]

    pair.order(opened[:2])
    (order,) = pair.hear()
    assert taken(order) == [inode(number) for number in opened[:2]]
