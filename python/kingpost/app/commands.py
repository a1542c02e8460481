"""Commands of an App: functions that `kingpost NAME …` runs, with arguments from the command line and objects of the App."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.app.crossing import Threads
from kingpost.app.fresh import check_free, compile_fresh
from kingpost.app.lasting import Lasting
from kingpost.app.program import Program
from kingpost.app.served import visible
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument
from kingpost.binding.signature import EMPTY, signature_of
from kingpost.binding.sources import FromProvider
from kingpost.injection.graph import Graph, check_colours, check_lasting
from kingpost.injection.provider import kind_of
from kingpost.schema.annotation import bare, list_of
from kingpost.schema.text import Scalar, scalar_of
from kingpost.settings import Settings

if TYPE_CHECKING:
    from kingpost.app.extensions import Claim
    from kingpost.injection.lookup import Overrides
    from kingpost.routing.route import Registry


NO_REQUEST = "a command answers no request"


class Typed(msgspec.Struct, frozen=True):
    """A parameter that is read from the command line.

    Attributes:
        name: of the parameter.
        scalar: how a text becomes its value, or one item of it.
        is_list: whether it takes several.
        default: `EMPTY` where it must be given.
    """

    name: str
    scalar: Scalar
    is_list: bool
    default: Any


class Command(msgspec.Struct, frozen=True):
    """A function that was registered as a command, ready to be run.

    Attributes:
        name: what is typed.
        help: the function's docstring.
        typed: what it takes from the command line.
        program: the function with what it takes from the App, made for it and finished behind it.
        lasting: what is made at start, if anything.
        threads: where `def` steps of an `async def` command run.
        context: the context in which `current_app()` is the App.
    """

    name: str
    help: str
    typed: tuple[Typed, ...]
    program: Program
    lasting: Lasting
    threads: Threads
    context: Context

    def run(self, values: Mapping[str, Any]) -> None:
        """Call the function; what it needs of the App is made before, and finished afterwards.

        Args:
            values: of `typed`, by name.
        """
        call = partial(self.program.function, ((), values))
        if self.program.kind == "async" or self.lasting.nodes:
            self.context.run(asyncio.run, self._run(call))
        else:
            self.context.run(call)

    async def _run(self, call: Callable[[], Any]) -> None:
        with self.threads.alone():
            async with AsyncExitStack() as stack:
                await self.lasting.start(stack, self.threads)
                await (call() if self.program.kind == "async" else self.threads.call(call))


def compile_command(
    name: str,
    claim: Claim,
    *,
    registry: Registry,
    constants: Mapping[type[Any], Any],
    overrides: Overrides,
    context: Context,
) -> Command:
    """Decide where the parameters of a command come from.

    Raises:
        SignatureError: one comes from nowhere, or is there during a request only (`injection.scope`).
    """
    signature = signature_of(claim.function)
    typed: list[Typed] = []
    others: list[inspect.Parameter] = []
    for parameter in signature.parameters:
        found = typed_of(parameter)
        if found is None:
            others.append(parameter)
        else:
            typed.append(found)
    graph = Graph(
        visible((registry.providers,), overrides), Offer({}, ("GET",), constants, Settings)
    )
    arguments = graph.arguments_of(signature, parameters=others)
    read = [each for each in arguments if not isinstance(each.source, FromProvider)]
    check_lasting(signature, read, NO_REQUEST)
    check_free(arguments, NO_REQUEST)
    check_colours(signature, kind_of(claim.function), arguments)
    lasting, threads = Lasting(), Threads()
    function = by_name(claim.function)
    program = compile_fresh(function, signature, arguments, threads=threads, lasting=lasting)
    told = inspect.getdoc(claim.function) or ""
    return Command(name, told, tuple(typed), program, lasting, threads, context)


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


def typed_of(parameter: inspect.Parameter) -> Typed | None:
    """What the command line gives; None where the App does."""
    annotation = str if parameter.annotation is EMPTY else parameter.annotation
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return None
    scalar = scalar_of(annotation)
    if scalar is not None:
        return Typed(parameter.name, scalar, is_list=False, default=parameter.default)
    listed = list_of(bare(annotation).type)
    if listed is not None and listed[0] is list and (item := scalar_of(listed[1])) is not None:
        return Typed(parameter.name, item, is_list=True, default=parameter.default)
    return None
