"""The template process, from the inside."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Any, cast

import pytest

from kingpost.server import template
from kingpost.server.forked import Order
from kingpost.server.template import Template

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is forked there")


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_a_copy_keeps_nothing_that_is_meant_for_those_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = socket.socketpair()
    # Some systems hand over in one read what was sent in several.
    numbers = [os.dup(ours.fileno()) for _ in range(5)]
    orders = [
        Order("1", 0, 0, numbers[0], (numbers[1],)),
        Order("2", 1, 0, numbers[2], (numbers[3],)),
    ]
    made = Template(cast("Any", None), theirs)
    made._descriptors = [numbers[4]]
    seen: list[bool] = []

    def work(service: object, order: Order, recipe: object) -> int:
        assert order is orders[0]
        seen.extend(is_open(number) for number in numbers)
        return 7

    monkeypatch.setattr(made, "_hear", lambda: orders)
    # This process is the copy.
    monkeypatch.setattr(made, "_fork", lambda order: 0)
    monkeypatch.setattr(template, "work", work)
    before = signal.getsignal(signal.SIGCHLD)
    ours.send(b"x")
    try:
        assert made._serve(cast("Any", None)) == 7
    finally:
        signal.signal(signal.SIGCHLD, before)
        for number in numbers[:2]:
            os.close(number)
        ours.close()
    assert seen == [True, True, False, False, False]
    assert theirs.fileno() == -1
