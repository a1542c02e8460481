"""What providers make, for somebody at a prompt: outside of any request, kept until they leave.

Rule 1: a value is made once, as for one request that lasts as long as the prompt does.
Rule 2: what is `def` runs on the prompt's own thread, where its values are used: some of them, such as SQLite's, can be used nowhere else.
What is `async` runs on one event loop, on a thread beside it.
Rule 3: generators are finished in the reverse order, with an exception where one ended the session; what lasts as long as an App is
finished behind them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

from kingpost.app.crossing import on_loop
from kingpost.app.fresh import check_free
from kingpost.app.generators import Made, begin, begin_async, end_all, raise_new
from kingpost.app.lasting import arranged, identity_of
from kingpost.app.overriding import is_function
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument
from kingpost.binding.sources import Constant, FromProvider
from kingpost.http.response import Response
from kingpost.injection.graph import Graph, Node
from kingpost.injection.lookup import Lookup
from kingpost.schema.annotation import spelled
from kingpost.server.threads import WorkerThreads, is_on_loop
from kingpost.settings import Settings

T = TypeVar("T")
NO_REQUEST = "nobody asks for anything here"


class Beside:
    """An event loop on a thread beside this one.

    Attributes:
        workers: lets functions that are called on this thread find the loop.
    """

    def __init__(self, context: Context) -> None:
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._over: asyncio.Event | None = None
        live = partial(context.copy().run, asyncio.run, self._live(started))
        self._thread = threading.Thread(target=live, name="kingpost-shell", daemon=True)
        self._thread.start()
        self.loop = started.result()
        self.workers = WorkerThreads(self.loop)

    async def _live(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        self._over = asyncio.Event()
        started.set_result(asyncio.get_running_loop())
        await self._over.wait()

    def run(self, awaitable: Awaitable[T]) -> T:
        async def wait() -> T:
            return await awaitable

        running = asyncio.run_coroutine_threadsafe(wait(), self.loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.workers.cancel_calls)
        if self._over is not None:
            self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


class Outside:
    """Makes what handlers name, where there is no handler.

    Args:
        lookup: the App's providers.
        constants: objects of the App by their class.
        context: the context in which `current_app()` is the App.
    """

    def __init__(
        self, lookup: Lookup, constants: Mapping[type[Any], Any], context: Context
    ) -> None:
        self._lookup = lookup
        self._constants = constants
        self._context = context
        self._graph = Graph(lookup, Offer({}, ("GET",), constants, Settings))
        self._values: dict[tuple[Any, ...], Any] = {}
        self._made: Made = []
        self._lasting: Made = []
        self._beside: Beside | None = None

    def get(self, wanted: Any) -> Any:
        """What a handler would be given that names this type, or whose parameter is marked with `Depends` of this function.

        Raises:
            LookupError: nothing in the App makes it.
            SignatureError: `injection.scope` where it is made of a request.
            RuntimeError: on the loop, which would wait for itself.
        """
        if is_on_loop():
            raise RuntimeError(
                "get() waits for the event loop that runs this: call it in a line of its own, and await in the next"
            )
        if isinstance(wanted, type) and wanted in self._constants:
            return self._constants[wanted]
        argument = self._argument(wanted)
        check_free([argument], NO_REQUEST)
        return self._running().workers.lend(partial(self._value, argument))

    def run(self, awaitable: Awaitable[T]) -> T:
        """The result of an awaitable, on the loop on which everything else was made.

        Raises:
            BaseException: whatever it raises; KeyboardInterrupt cancels it.
        """
        return self._running().run(awaitable)

    def close(self, error: BaseException | None = None) -> None:
        """Finish what was made.

        Args:
            error: what ended the session, to be raised in generators; None: they are told of an answer that went well.

        Raises:
            BaseException: whatever a generator raises in its turn.
        """
        beside, self._beside = self._beside, None
        if beside is None:
            return
        answered = Response[Any](None) if error is None else None
        try:
            raised = beside.workers.lend(partial(end_all, self._made, answered, error))
            # Whatever that one has raised: it is no affair of what lasts as long as the App.
            late = beside.workers.lend(partial(end_all, self._lasting, None, None))
            raise_new(raised, error)
            raise_new(late, None)
        finally:
            beside.close()

    def _argument(self, wanted: Any) -> Argument:
        graph = self._graph
        source = graph.depends_on(wanted) if is_function(wanted) else graph.source_of(wanted)
        if source is None:
            known = sorted({spelled(it.gives) for level in self._lookup.levels for it in level})
            others = f"there are {', '.join(known)}" if known else "it has no providers"
            raise LookupError(f"nothing in this app makes {spelled(wanted)}; {others}")
        return Argument("value", None, source)

    def _running(self) -> Beside:
        """The loop, begun at the first question: who asks for nothing waits for nothing."""
        if self._beside is None:
            self._beside = Beside(self._context)
        return self._beside

    def _value(self, argument: Argument) -> Any:
        source = argument.source
        if isinstance(source, Constant):
            return source.value
        assert isinstance(source, FromProvider)  # noqa: S101 - for the type checkers: all others were refused
        node: Node = source.node
        key = identity_of(node)
        if key not in self._values:
            positional, named = arranged(node.arguments, map(self._value, node.arguments))
            self._values[key] = self._make(
                node, partial(node.provider.function, *positional, **named)
            )
        return self._values[key]

    def _make(self, node: Node, call: Callable[[], Any]) -> Any:
        made = self._lasting if node.provider.scope == "app" else self._made
        kind = node.provider.kind
        if kind == "async":
            return on_loop(call)
        if kind == "asyncgen":
            return on_loop(begin_async, call(), made)
        return begin(call(), made) if kind == "generator" else call()
