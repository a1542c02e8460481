"""What is made once, at start, and ended at stop: providers of scope "app", and lifespans."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from kingpost.app.running import Threads, apart
from kingpost.binding.plan import Argument
from kingpost.binding.sources import Constant, FromProvider
from kingpost.errors import ConfigurationError
from kingpost.injection.graph import Node
from kingpost.injection.provider import kind_of
from kingpost.types import Place

Key = tuple[Any, ...]


class Lasting:
    """The values of providers of scope "app".

    Attributes:
        values: by the slots that programs look into; empty before the start.
    """

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._slots: dict[Key, int] = {}
        self._nodes: list[Node] = []

    @property
    def nodes(self) -> Sequence[Node]:
        """Each after those that it needs."""
        return self._nodes

    def slot(self, node: Node) -> int:
        """Where the value of a node will be; a node that was not asked for before is made at the next start."""
        known = self._slots.get(node.key)
        if known is not None:
            return known
        for argument in node.arguments:
            if isinstance(argument.source, FromProvider):
                self.slot(argument.source.node)
        self._nodes.append(node)
        self._slots[node.key] = len(self.values)
        self.values.append(None)
        return self._slots[node.key]

    def value(self, argument: Argument) -> Any:
        source = argument.source
        if isinstance(source, FromProvider):
            return self.values[self._slots[source.node.key]]
        if isinstance(source, Constant):
            return source.value
        raise AssertionError(source)

    def arguments(self, arguments: Sequence[Argument]) -> tuple[list[Any], dict[str, Any]]:
        """What a function that runs at start is called with."""
        positional = [self.value(each) for each in arguments if each.keyword is None]
        named = {each.keyword: self.value(each) for each in arguments if each.keyword is not None}
        return positional, named

    async def start(self, stack: AsyncExitStack, threads: Threads) -> None:
        """Make every value, each after those it needs; `stack` ends them."""
        for node in self._nodes:
            positional, named = self.arguments(node.arguments)
            value = await made(
                partial(node.provider.function, *positional, **named), node, stack, threads
            )
            self.values[self._slots[node.key]] = value


async def made(call: Callable[[], Any], node: Node, stack: AsyncExitStack, threads: Threads) -> Any:
    kind = node.provider.kind
    if kind == "async":
        return await call()
    if kind == "asyncgen":
        return await stack.enter_async_context(AsyncGenerator(call(), node.name))
    if kind == "generator":
        return await stack.enter_async_context(Generator(call(), node.name))
    return call() if node.provider.inline else await threads.call(call)


class AsyncGenerator:
    """An asynchronous generator that yields once, as a context."""

    def __init__(self, generator: Any, name: str) -> None:
        self.generator = generator
        self.name = name

    async def __aenter__(self) -> Any:
        async for value in self.generator:
            return value
        raise RuntimeError(f"{self.name} ended without a yield, and it yields once")

    async def __aexit__(self, *_: object) -> None:
        async for _value in self.generator:
            await self.generator.aclose()
            raise RuntimeError(f"{self.name} yields twice, and it yields once")


class Generator:
    """A generator that yields once, as a context; each step on a thread."""

    def __init__(self, generator: Any, name: str) -> None:
        self.generator = generator
        self.name = name

    def begin(self) -> Any:
        for value in self.generator:
            return value
        raise RuntimeError(f"{self.name} ended without a yield, and it yields once")

    def end(self) -> None:
        for _value in self.generator:
            self.generator.close()
            raise RuntimeError(f"{self.name} yields twice, and it yields once")

    async def __aenter__(self) -> Any:
        return await apart(self.begin)

    async def __aexit__(self, *_: object) -> None:
        await apart(self.end)


def lifespan_context(function: Callable[..., Any], call: Callable[[], Any]) -> Any:
    """The context of a lifespan: of an asynchronous or plain generator function, or of one that returns a context.

    Raises:
        ConfigurationError: `app.bad-lifespan`.
    """
    name = getattr(function, "__name__", "lifespan")
    kind = kind_of(function)
    if kind == "asyncgen":
        return AsyncGenerator(call(), name)
    if kind == "generator":
        return Generator(call(), name)
    context = call()
    if hasattr(context, "__aenter__") and hasattr(context, "__aexit__"):
        return context
    if inspect.iscoroutine(context):
        context.close()
    raise ConfigurationError(
        f"the lifespan {name} gives no context",
        code="app.bad-lifespan",
        remedy="write `async def` with one yield: what is before it runs at start, what is behind it at stop",
        places=[Place.of(function)],
    )
