"""The Task that carries requests.

A carrier serves one request after another as long as nobody can tell. Whatever leaves a trace on the task (a callback,
a name, an attribute, a cancellation) marks it here, and a marked carrier ends with its request. An untouched task pays
nothing: none of these methods is called on the request path.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from kingpost._native import Carrier

# Python's own bookkeeping writes these; they say nothing about the request.
_UNTOLD = frozenset({"_log_destroy_pending", "_asyncio_future_blocking"})


class RequestTask(asyncio.Task[Any]):
    """The task that a request's handler sees as `asyncio.current_task()`."""

    __slots__ = ("_carrier",)

    _carrier: Carrier

    @staticmethod
    async def carry(carrier: Carrier) -> None:
        """The task's coroutine where it must be one of Python's own: it passes every step on to the carrier."""
        await carrier

    def add_done_callback(
        self, fn: Callable[[RequestTask], object], /, *, context: Context | None = None
    ) -> None:
        self._carrier.touch()
        super().add_done_callback(fn, context=context)

    def cancel(self, msg: Any | None = None) -> bool:
        self._carrier.touch()
        return super().cancel(msg)

    def uncancel(self) -> int:
        self._carrier.touch()
        return super().uncancel()

    def set_name(self, value: object, /) -> None:
        self._carrier.touch()
        super().set_name(value)

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _UNTOLD:
            self._carrier.touch()
        super().__setattr__(name, value)

    def get_coro(self) -> Coroutine[Any, Any, Any]:
        return cast("Coroutine[Any, Any, Any]", self._carrier.user_coro)

    # repr() and get_stack() read the coroutine from here.
    _coro = property(get_coro)

    if sys.version_info >= (3, 12):

        def get_context(self) -> Context:
            return cast("Context", self._carrier.user_context)
