"""Events: an event is an object of a class, and whoever asked for the class is called with it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from kingpost.server.threads import is_on_loop, is_worker_thread

if TYPE_CHECKING:
    from kingpost.app.crossing import Threads
    from kingpost.app.reporting import Reporters

Receiver = Callable[[Any], Any]


class Receivers:
    """Who is called with which events.

    Attributes:
        threads: where `def` receivers of an `async def` emitter run; None before the App is compiled.
        reporters: told of what a receiver raises; None before the App is compiled.
    """

    def __init__(self) -> None:
        self._by_class: dict[type[Any], list[tuple[int, Receiver]]] = {}
        self._count = 0
        self.threads: Threads | None = None
        self.reporters: Reporters | None = None

    def add(self, event: type[Any], receiver: Receiver) -> None:
        self._count += 1
        self._by_class.setdefault(event, []).append((self._count, receiver))

    def of(self, event: object) -> Iterator[Receiver]:
        """The receivers of an event in the order of their registration: of its class, and of the classes above it."""
        found = [entry for kind in type(event).__mro__ for entry in self._by_class.get(kind, ())]
        for _, receiver in sorted(found, key=lambda entry: entry[0]):
            yield receiver

    def emit(self, event: object) -> None:
        receivers = list(self.of(event))
        if any(map(is_async, receivers)) and is_on_loop():
            raise RuntimeError(
                f"a receiver of {type(event).__name__} is async def, and emit() cannot wait for it here: write await app.aemit(…)"
            )
        for receiver in receivers:
            try:
                if is_async(receiver):
                    wait_for(partial(receiver, event))
                else:
                    receiver(event)
            except Exception as error:  # noqa: BLE001 - it is the receiver's, and the others are called
                report(event, receiver, error, self.reporters)

    async def aemit(self, event: object) -> None:
        for receiver in list(self.of(event)):
            try:
                if is_async(receiver):
                    await receiver(event)
                elif self.threads is None:
                    await asyncio.to_thread(receiver, event)
                else:
                    # The emitter may hold what those wait for that keep all worker threads.
                    await self.threads.aside(partial(receiver, event))
            except Exception as error:  # noqa: BLE001 - it is the receiver's, and the others are called
                report(event, receiver, error, self.reporters)


def is_async(receiver: Receiver) -> bool:
    call = getattr(type(receiver), "__call__", None)  # noqa: B004 - the function is looked at
    return inspect.iscoroutinefunction(receiver) or inspect.iscoroutinefunction(call)


def wait_for(make: Callable[[], Any]) -> None:
    """Run a receiver that is `async def` from a thread: on the loop of its server, or on one of its own where there is no server."""
    from kingpost.app.crossing import on_loop

    if is_worker_thread():
        on_loop(make)
    else:
        asyncio.run(make())


def report(
    event: object, receiver: Receiver, error: Exception, reporters: Reporters | None
) -> None:
    if reporters is not None:
        reporters.tell(error, None)
    name = getattr(receiver, "__qualname__", repr(receiver))
    logging.getLogger("kingpost.app").error(
        "%s failed with a %s", name, type(event).__name__, exc_info=error
    )
