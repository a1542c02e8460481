"""What is made once, at start, and ended at stop: providers of scope "app", and lifespans."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

from kingpost.app.crossing import Threads
from kingpost.binding.plan import Argument
from kingpost.binding.sources import Constant, FromProvider
from kingpost.errors import ConfigurationError
from kingpost.injection.graph import Node
from kingpost.injection.provider import kind_of
from kingpost.settings import Settings
from kingpost.types import Place

Key = tuple[Any, ...]
_UNMADE: Final = object()


class Lasting:
    """The values of providers of scope "app".

    Attributes:
        values: by the slots that programs look into; empty before the start.
    """

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._is_started = False
        self._slots: dict[Key, int] = {}
        self._nodes: list[Node] = []

    @property
    def nodes(self) -> Sequence[Node]:
        """Each after those that it needs."""
        return self._nodes

    def nodes_of(self, arguments: Iterable[Argument]) -> Sequence[Node]:
        """What of it these arguments name, or what they need does."""
        found: dict[Key, Node] = {}
        for argument in arguments:
            if isinstance(argument.source, FromProvider):
                node: Node = argument.source.node
                found.update({identity_of(each): each for each in self.nodes_of(node.arguments)})
                if node.provider.scope == "app":
                    found[identity_of(node)] = node
        return list(found.values())

    def slot(self, node: Node) -> int:
        """Where the value of a node will be; a node that was not asked for before is made at the next start."""
        identity = identity_of(node)
        known = self._slots.get(identity)
        if known is not None:
            return known
        for argument in node.arguments:
            if isinstance(argument.source, FromProvider):
                self.slot(argument.source.node)
        self._nodes.append(node)
        self._slots[identity] = len(self.values)
        self.values.append(_UNMADE)
        return self._slots[identity]

    def value(self, argument: Argument) -> Any:
        source = argument.source
        if isinstance(source, FromProvider):
            return self.values[self._slots[identity_of(source.node)]]
        if isinstance(source, Constant):
            return source.value
        raise AssertionError(source)

    def arguments(self, arguments: Sequence[Argument]) -> tuple[list[Any], dict[str, Any]]:
        """What a function that runs at start is called with."""
        return arranged(arguments, map(self.value, arguments))

    def make_late(self, arguments: Iterable[Argument]) -> None:
        """Make what was not asked for at start, after it: for a test's override, or for a call behind an answer.

        Raises:
            ConfigurationError: `injection.too-late` where that has to be ended at the stop, or awaited.
        """
        for argument in arguments:
            source = argument.source
            if not isinstance(source, FromProvider):
                continue
            self.make_late(source.node.arguments)
            if source.node.provider.scope == "app":
                slot = self.slot(source.node)
                if self._is_started and self.values[slot] is _UNMADE:
                    self.values[slot] = self._made_late(source.node)

    def _made_late(self, node: Node) -> Any:
        if node.provider.kind != "def":
            raise ConfigurationError(
                f"{node.name} is made at the start, and nothing asked for it then",
                code="injection.too-late",
                remedy="name what it makes in a route or in a lifespan; in a test, override before the client is made",
                places=[node.provider.place],
            )
        positional, named = self.arguments(node.arguments)
        return node.provider.function(*positional, **named)

    async def start(self, stack: AsyncExitStack, threads: Threads) -> None:
        """Make every value, each after those it needs; `stack` ends them."""
        self._is_started = True
        for node in self._nodes:
            positional, named = self.arguments(node.arguments)
            value = await made(
                partial(node.provider.function, *positional, **named), node, stack, threads
            )
            self.values[self._slots[identity_of(node)]] = value


def arranged(
    arguments: Sequence[Argument], values: Iterable[Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The values of arguments as a function is called with them: those by position, and those by name."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for argument, value in zip(arguments, values, strict=True):
        if argument.keyword is None:
            positional.append(value)
        else:
            named[argument.keyword] = value
    return positional, named


def identity_of(node: Node) -> Key:
    """What tells a value from others: a provider of the App's may be given other things on a blueprint, and other settings in a test."""
    needs: list[Any] = []
    for argument in node.arguments:
        source = argument.source
        if isinstance(source, FromProvider):
            needs.append(identity_of(source.node))
        elif isinstance(source, Constant) and isinstance(source.value, Settings):
            needs.append(id(source.value))
    return (node.key, *needs)


async def made(call: Callable[[], Any], node: Node, stack: AsyncExitStack, threads: Threads) -> Any:
    kind = node.provider.kind
    if kind == "async":
        return await call()
    if kind == "asyncgen":
        return await stack.enter_async_context(AsyncGenerator(call(), node.name))
    if kind == "generator":
        return await stack.enter_async_context(Generator(call(), node.name, threads))
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

    def __init__(self, generator: Any, name: str, threads: Threads) -> None:
        self.generator = generator
        self.name = name
        self.threads = threads

    def begin(self) -> Any:
        for value in self.generator:
            return value
        raise RuntimeError(f"{self.name} ended without a yield, and it yields once")

    def end(self) -> None:
        for _value in self.generator:
            self.generator.close()
            raise RuntimeError(f"{self.name} yields twice, and it yields once")

    async def __aenter__(self) -> Any:
        return await self.threads.apart(self.begin)

    async def __aexit__(self, *_: object) -> None:
        await self.threads.apart(self.end)


def lifespan_context(
    function: Callable[..., Any], call: Callable[[], Any], threads: Threads
) -> Any:
    """The context of a lifespan: of an asynchronous or plain generator function, or of one that returns a context.

    Raises:
        ConfigurationError: `app.bad-lifespan`.
    """
    name = getattr(function, "__name__", "lifespan")
    kind = kind_of(function)
    if kind == "asyncgen":
        return AsyncGenerator(call(), name)
    if kind == "generator":
        return Generator(call(), name, threads)
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
