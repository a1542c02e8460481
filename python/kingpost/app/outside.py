"""What providers make, for somebody at a prompt: outside of any request, kept until they leave.

Rule 1: a value is made once, as for one request that lasts as long as the prompt does.
Rule 2: everything is made and finished in one task on one event loop, which runs on a thread of its own; the prompt keeps the main thread.
Rule 3: generators are finished in the reverse order, with an exception where one ended the session; what lasts as long as an App is
finished behind them.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

from kingpost.app.crossing import Threads
from kingpost.app.fresh import check_free
from kingpost.app.generators import Generators, Made, begin, begin_async
from kingpost.app.lasting import identity_of, made
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument
from kingpost.binding.sources import Constant, FromProvider
from kingpost.http.response import Response
from kingpost.injection.graph import Graph, Node
from kingpost.injection.lookup import Lookup
from kingpost.schema.annotation import spelled
from kingpost.settings import Settings

T = TypeVar("T")
NO_REQUEST = "nobody asks for anything here"


class Outside:
    """Makes what handlers name, where there is no handler.

    Args:
        lookup: the App's providers.
        constants: objects of the App by their class.
        context: the context in which `current_app()` is the App.
    """

    def __init__(self, lookup: Lookup, constants: Mapping[type[Any], Any], context: Context) -> None:
        self._lookup = lookup
        self._constants = constants
        self._context = context
        self._graph = Graph(lookup, Offer({}, ("GET",), constants, Settings))
        self._threads = Threads()
        self._values: dict[tuple[Any, ...], Any] = {}
        self._made: Made = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._orders: asyncio.Queue[tuple[Future[Any], Argument] | None] | None = None
        self._ended: Future[None] = Future()
        self._error: BaseException | None = None

    def get(self, wanted: Any) -> Any:
        """What a handler would be given that names this type, or whose parameter is marked with `Depends` of this function.

        Raises:
            LookupError: nothing in the App makes it.
            SignatureError: `injection.scope` where it is made of a request.
        """
        if isinstance(wanted, type) and wanted in self._constants:
            return self._constants[wanted]
        argument = self._argument(wanted)
        check_free([argument], NO_REQUEST)
        done: Future[Any] = Future()
        loop = self._running()
        if self._orders is not None:
            loop.call_soon_threadsafe(self._orders.put_nowait, (done, argument))
        return done.result()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, on the loop on which everything else was made.

        Raises:
            BaseException: whatever it raises; KeyboardInterrupt cancels it.
        """
        running = asyncio.run_coroutine_threadsafe(coroutine, self._running())
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise

    def close(self, error: BaseException | None = None) -> None:
        """Finish what was made.

        Args:
            error: what ended the session, to be raised in generators; None commits.

        Raises:
            BaseException: whatever a generator raises in its turn.
        """
        if self._loop is None or self._orders is None:
            return
        self._error = error
        self._loop.call_soon_threadsafe(self._orders.put_nowait, None)
        self._ended.result()

    def _argument(self, wanted: Any) -> Argument:
        is_function = callable(wanted) and not isinstance(wanted, type) and hasattr(wanted, "__code__")
        source = self._graph.depends_on(wanted) if is_function else self._graph.source_of(wanted)
        if source is None:
            known = sorted({spelled(it.gives) for level in self._lookup.levels for it in level})
            others = f"there are {', '.join(known)}" if known else "it has no providers"
            raise LookupError(f"nothing in this app makes {spelled(wanted)}; {others}")
        return Argument("value", None, source)

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop, begun at the first question: who asks for nothing waits for nothing."""
        if self._loop is None:
            started: queue.SimpleQueue[asyncio.AbstractEventLoop] = queue.SimpleQueue()
            live = partial(self._context.copy().run, asyncio.run, self._live(started))
            threading.Thread(target=self._work, args=(live,), name="kingpost-shell", daemon=True).start()
            self._loop = started.get()
        return self._loop

    def _work(self, live: Callable[[], None]) -> None:
        try:
            live()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _live(self, started: queue.SimpleQueue[asyncio.AbstractEventLoop]) -> None:
        self._orders = asyncio.Queue()
        started.put(asyncio.get_running_loop())
        with self._threads.alone():
            async with AsyncExitStack() as stack:
                while (order := await self._orders.get()) is not None:
                    done, argument = order
                    try:
                        done.set_result(await self._value(argument, stack))
                    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                        done.set_exception(error)
                ends = Generators(self._threads)
                if self._error is None:
                    await ends.finish_async(self._made, Response(None))
                else:
                    await ends.unwind_async(self._made, self._error)

    async def _value(self, argument: Argument, stack: AsyncExitStack) -> Any:
        source = argument.source
        if isinstance(source, Constant):
            return source.value
        if not isinstance(source, FromProvider):
            raise AssertionError(source)
        node: Node = source.node
        key = identity_of(node)
        if key not in self._values:
            arguments = [(each.keyword, await self._value(each, stack)) for each in node.arguments]
            positional = [value for keyword, value in arguments if keyword is None]
            named = {keyword: value for keyword, value in arguments if keyword is not None}
            call = partial(node.provider.function, *positional, **named)
            self._values[key] = await self._make(node, call, stack)
        return self._values[key]

    async def _make(self, node: Node, call: Callable[[], Any], stack: AsyncExitStack) -> Any:
        kind = node.provider.kind
        if node.provider.scope == "app" or kind in ("def", "async"):
            return await made(call, node, stack, self._threads)
        if kind == "asyncgen":
            return await begin_async(call(), self._made)
        return await self._threads.call(partial(begin, call(), self._made))
