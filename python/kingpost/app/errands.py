"""Functions that an App runs where there is no request: commands, checks, questions after its health.

Each is a program, with what it asks for made for it alone and finished behind it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from contextvars import Context
from functools import partial
from typing import Any

import msgspec

from kingpost.app.crossing import Threads
from kingpost.app.fresh import check_free, compile_fresh
from kingpost.app.lasting import Lasting
from kingpost.app.program import Program
from kingpost.binding.offer import Offer
from kingpost.binding.signature import Signature
from kingpost.binding.sources import FromProvider
from kingpost.injection.graph import Graph, check_colours, check_lasting
from kingpost.injection.lookup import Lookup
from kingpost.injection.provider import kind_of
from kingpost.settings import Settings


class Errand(msgspec.Struct, frozen=True):
    """A function, ready to be run.

    Attributes:
        program: the function with what it takes from the App.
        lasting: what is made at start, if anything.
        threads: where its `def` steps run.
    """

    program: Program
    lasting: Lasting
    threads: Threads

    def run(self, context: Context, /, *args: Any, **named: Any) -> None:
        """Call the function where no server runs; what lasts is made before, and finished afterwards.

        Args:
            context: the context in which `current_app()` is the App.
            args: what the App does not give.
            named: the same, of parameters that are given by name.
        """
        if self.program.kind == "async" or self.lasting.nodes:
            context.run(asyncio.run, self._run(args, named))
        else:
            context.run(self.program.function, (args, named))

    async def _run(self, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        with self.threads.alone():
            async with AsyncExitStack() as stack:
                await self.lasting.start(stack, self.threads)
                await self.called(*args, **named)

    async def called(self, /, *args: Any, **named: Any) -> None:
        """Call the function on the loop of a server that has started."""
        call = partial(self.program.function, (args, named))
        await (call() if self.program.kind == "async" else self.threads.call(call))


def compile_errand(
    function: Callable[..., Any],
    signature: Signature,
    parameters: Sequence[inspect.Parameter],
    why: str,
    *,
    lookup: Lookup,
    constants: Mapping[type[Any], Any],
    threads: Threads,
    lasting: Lasting,
) -> Errand:
    """Decide where parameters of a function come from.

    Args:
        function: called with what it is run with, and by name with what the App gives.
        signature: as written, for messages.
        parameters: those that the App gives.
        why: why it cannot have anything of a request.
        lookup: the providers that it sees.
        constants: objects of the App by their class.
        threads: where its `def` steps run.
        lasting: what is made at start.

    Raises:
        SignatureError: one comes from nowhere, or is there during a request only (`injection.scope`).
    """
    graph = Graph(lookup, Offer({}, ("GET",), constants, Settings))
    arguments = graph.arguments_of(signature, parameters=parameters)
    read = [each for each in arguments if not isinstance(each.source, FromProvider)]
    check_lasting(signature, read, why)
    check_free(arguments, why)
    check_colours(signature, kind_of(function), arguments)
    lasting.make_late(arguments)
    program = compile_fresh(function, signature, arguments, threads=threads, lasting=lasting)
    return Errand(program, lasting, threads)


def by_name(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with all its parameters to be given by name, also those that are positional."""
    parameters = inspect.signature(function).parameters.values()
    positional = [each.name for each in parameters if each.kind is each.POSITIONAL_ONLY]
    if kind_of(function) == "async":

        async def call_async(**named: Any) -> Any:
            return await function(*[named.pop(name) for name in positional], **named)

        return call_async

    def call(**named: Any) -> Any:
        return function(*[named.pop(name) for name in positional], **named)

    return call


def collecting(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with what it returns, or each thing that it yields, told to another one, which is its first argument."""
    kind, called = kind_of(function), by_name(function)
    if kind == "asyncgen":

        async def call_stream(found: Callable[[Any], object], /, **named: Any) -> None:
            async for each in called(**named):
                found(each)

        return call_stream
    if kind == "async":

        async def call_async(found: Callable[[Any], object], /, **named: Any) -> None:
            found(await called(**named))

        return call_async

    def call(found: Callable[[Any], object], /, **named: Any) -> None:
        value = called(**named)
        if kind == "generator":
            for each in value:
                found(each)
        else:
            found(value)

    return call
