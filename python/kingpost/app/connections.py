"""What is made once for a client's connection, and finished when that has closed: providers of scope "connection".

Rule 1: a value is made by the first request of the connection that needs it; others of the same connection wait for that.
Rule 2: nothing is finished under the hands of a request that still runs: the last of them, or the end of the connection, whichever is later,
finishes what was made, in the reverse order.
Rule 3: whatever is open when the App stops is finished before what lasts as long as the App.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from kingpost.app.crossing import Threads
from kingpost.app.generators import Generators, Made, begin, begin_async
from kingpost.app.lasting import Key, Lasting, arranged, identity_of
from kingpost.binding.plan import Argument
from kingpost.binding.sources import FromProvider, TheRequest
from kingpost.http.request import Request
from kingpost.injection.graph import Node
from kingpost.injection.provider import Kind

THE_REQUEST = (Argument("request", None, TheRequest()),)


class Held:
    """What was made for one connection.

    Attributes:
        values: by the identity of the node; a future that is not done is being made.
        made: generators that are to be finished.
        uses: requests that use it now.
        is_over: whether the connection is.
        context: what it was begun in.
    """

    def __init__(self, context: Context) -> None:
        self.values: dict[Key, asyncio.Future[Any]] = {}
        self.made: Made = []
        self.uses = 0
        self.is_over = False
        self.context = context


class Connections:
    """The values of providers of scope "connection".

    Args:
        threads: where `def` providers run.
        lasting: what was made at start.

    Attributes:
        report: told of what a provider raises when it is finished.
    """

    def __init__(self, threads: Threads, lasting: Lasting) -> None:
        self._threads = threads
        self._lasting = lasting
        self._held: dict[int, Held] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self.report: Callable[[BaseException], None] = lambda _error: None

    @property
    def held(self) -> int:
        """Connections for which something is held."""
        return len(self._held)

    def step(self, node: Node) -> tuple[Callable[..., Any], Kind]:
        """What a program calls with the request for the value of a node, and how."""
        for each in self._lasting.nodes_of(node.arguments):
            self._lasting.slot(each)
        key = identity_of(node)
        if has_an_end(node):
            return partial(self._lent, node, key), "asyncgen"
        return partial(self._given, node, key), "async"

    async def _given(self, node: Node, key: Key, request: Request) -> Any:
        """A value that nobody finishes."""
        return await self._value(self._of(request), node, key)

    async def _lent(self, node: Node, key: Key, request: Request) -> AsyncGenerator[Any]:
        """A value that is not finished before this generator is."""
        held = self._of(request)
        held.uses += 1
        try:
            yield await self._value(held, node, key)
        finally:
            held.uses -= 1
            self._end(held)

    def _of(self, request: Request) -> Held:
        number = request.connection
        if number is None:
            raise RuntimeError("a request that was made by hand has no connection")
        held = self._held.get(number)
        if held is None:
            held = Held(copy_context())
            if request.watch_connection(partial(self._over, number)):
                self._held[number] = held
            else:
                # The client has left before its request was looked at.
                held.is_over = True
        return held

    async def _value(self, held: Held, node: Node, key: Key) -> Any:
        while (known := held.values.get(key)) is not None:
            if known.done():
                return known.result()
            # Not the future itself: a request that is cancelled must not cancel it for the others.
            await asyncio.wait([known])
        making = held.values[key] = asyncio.get_running_loop().create_future()
        try:
            value = await self._made(held, node)
        except BaseException:
            # Whoever waits for it tries again, and is told itself.
            del held.values[key]
            making.set_result(None)
            raise
        making.set_result(value)
        return value

    async def _made(self, held: Held, node: Node) -> Any:
        values = [await self._argument(held, argument) for argument in node.arguments]
        positional, named = arranged(node.arguments, values)
        provider = node.provider
        call = partial(provider.function, *positional, **named)
        if provider.kind == "async":
            return await call()
        if provider.kind == "asyncgen":
            return await begin_async(call(), held.made)
        if provider.kind == "generator":
            # Aside: the request may hold what all worker threads wait for.
            return await self._threads.aside(partial(begin, call(), held.made))
        return call() if provider.inline else await self._threads.aside(call)

    async def _argument(self, held: Held, argument: Argument) -> Any:
        source = argument.source
        if isinstance(source, FromProvider) and source.node.provider.scope == "connection":
            return await self._value(held, source.node, identity_of(source.node))
        return self._lasting.value(argument)

    # -- the end

    def _over(self, number: int) -> None:
        """A connection is over; called on the loop."""
        held = self._held.pop(number, None)
        if held is not None:
            held.is_over = True
            self._end(held)

    def _end(self, held: Held) -> None:
        if not held.is_over or held.uses or not held.made:
            return
        task = asyncio.get_running_loop().create_task(
            self._finish(held), name="kingpost connection", context=held.context
        )
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _finish(self, held: Held) -> None:
        try:
            await Generators(self._threads).close_async(held.made)
        except Exception as error:  # noqa: BLE001 - nobody waits for it any more
            self.report(error)

    async def close(self) -> None:
        """The App stops: finish what is held."""
        for number in tuple(self._held):
            self._over(number)
        while self._ending:
            await asyncio.wait(tuple(self._ending))


def has_an_end(node: Node) -> bool:
    """Whether something is finished at the end of the connection, of the node or of what it needs."""
    return node.provider.is_generator or any(
        isinstance(argument.source, FromProvider)
        and argument.source.node.provider.scope == "connection"
        and has_an_end(argument.source.node)
        for argument in node.arguments
    )
