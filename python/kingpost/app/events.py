"""Events: an event is an object of a class, and whoever asked for the class is called with it."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kingpost.server.threads import is_on_loop, is_worker_thread

if TYPE_CHECKING:
    from kingpost.app.crossing import Threads
    from kingpost.app.reporting import Reporters

T = TypeVar("T")
R = TypeVar("R")
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
        self._waiting: list[tuple[type[Any], Callable[[Any], None]]] = []
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

    def on(self, event: type[T]) -> On[T]:
        return On(self, event)

    async def next_of(self, event: type[T]) -> T:
        """The next event of a class, or of one below it, from now on."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[T] = loop.create_future()

        def come(found: T) -> None:
            if not waiting.done():
                waiting.set_result(found)

        def tell(found: T) -> None:
            # Who emits may be on a thread.
            loop.call_soon_threadsafe(come, found)

        self._waiting.append((event, tell))
        try:
            return await waiting
        finally:
            self._waiting.remove((event, tell))

    def tell_waiting(self, event: object) -> None:
        for kind, tell in tuple(self._waiting):
            if isinstance(event, kind):
                tell(event)

    def emit(self, event: object, *, strict: bool) -> None:
        receivers, raised = list(self.of(event)), list[Exception]()
        if any(map(is_async, receivers)) and is_on_loop():
            raise RuntimeError(
                f"a receiver of {type(event).__name__} is async def, and emit() cannot wait for it here: write await app.aemit(…)"
            )
        # Not before: who is told to write aemit() tells of the event then.
        self.tell_waiting(event)
        for receiver in receivers:
            try:
                if is_async(receiver):
                    wait_for(partial(receiver, event))
                else:
                    receiver(event)
            except Exception as error:  # noqa: BLE001 - it is the receiver's, and the others are called
                raised.append(error)
                if not strict:
                    report(event, receiver, error, self.reporters)
        if strict:
            raise_all(event, raised)

    async def aemit(self, event: object, *, strict: bool) -> None:
        self.tell_waiting(event)
        raised: list[Exception] = []
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
                raised.append(error)
                if not strict:
                    report(event, receiver, error, self.reporters)
        if strict:
            raise_all(event, raised)


class On(Generic[T]):
    """What `app.on(OrderPaid)` is: a decorator of receivers, and something to wait for."""

    def __init__(self, receivers: Receivers, event: type[T]) -> None:
        self._receivers = receivers
        self._event = event

    def __call__(self, function: Callable[[T], R], /) -> Callable[[T], R]:
        self._receivers.add(self._event, function)
        return function

    def __await__(self) -> Generator[Any, None, T]:
        return self._receivers.next_of(self._event).__await__()


def raise_all(event: object, raised: list[Exception]) -> None:
    if len(raised) == 1:
        raise raised[0]
    if raised:
        raise ExceptionGroup(f"receivers of {type(event).__name__} failed", raised)


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
