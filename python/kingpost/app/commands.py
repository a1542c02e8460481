"""Commands of an App: functions that `kingpost NAME …` runs, with arguments from the command line and objects of the App."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from contextvars import Context
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.app.crossing import Threads
from kingpost.app.lasting import Lasting
from kingpost.app.served import visible
from kingpost.binding.annotation import bare, list_of
from kingpost.binding.convert import Scalar, scalar_of
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument
from kingpost.binding.signature import EMPTY, signature_of
from kingpost.binding.sources import FromProvider
from kingpost.injection.graph import Graph, check_lasting
from kingpost.injection.provider import kind_of
from kingpost.settings import Settings

if TYPE_CHECKING:
    from kingpost.app.extensions import Claim
    from kingpost.injection.lookup import Overrides
    from kingpost.routing.route import Registry


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
        function: as written.
        given: what it takes from the App.
        lasting: makes that.
        context: the context in which `current_app()` is the App.
    """

    name: str
    help: str
    typed: tuple[Typed, ...]
    function: Callable[..., Any]
    given: tuple[Argument, ...]
    lasting: Lasting
    context: Context

    def run(self, values: Mapping[str, Any]) -> None:
        """Call the function; what it needs of the App is made before, and finished afterwards.

        Args:
            values: of `typed`, by name.
        """
        is_async = kind_of(self.function) == "async"
        if is_async or self.lasting.nodes:
            self.context.run(asyncio.run, self._run(values, is_async=is_async))
        else:
            self.context.run(self._call, values)

    async def _run(self, values: Mapping[str, Any], *, is_async: bool) -> None:
        async with AsyncExitStack() as stack:
            await self.lasting.start(stack, Threads())
            if is_async:
                await self._call(values)
            else:
                await asyncio.to_thread(self._call, values)

    def _call(self, values: Mapping[str, Any]) -> Any:
        given = {argument.name: self.lasting.value(argument) for argument in self.given}
        known = {**values, **given}
        parameters = inspect.signature(self.function).parameters.values()
        positional = [known[each.name] for each in parameters if each.kind is each.POSITIONAL_ONLY]
        named = {
            each.name: known[each.name]
            for each in parameters
            if each.kind is not each.POSITIONAL_ONLY
        }
        return self.function(*positional, **named)


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
    arguments = graph.arguments_of(msgspec.structs.replace(signature, parameters=tuple(others)))
    check_lasting(signature, arguments, "a command answers no request")
    lasting = Lasting()
    for argument in arguments:
        if isinstance(argument.source, FromProvider):
            lasting.slot(argument.source.node)
    told = inspect.getdoc(claim.function) or ""
    return Command(name, told, tuple(typed), claim.function, arguments, lasting, context)


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
