"""Commands of an App: functions that `kingpost NAME …` runs, with arguments from the command line and objects of the App."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.app.crossing import Threads
from kingpost.app.errands import Errand, by_name, compile_errand
from kingpost.app.lasting import Lasting
from kingpost.binding.signature import EMPTY, signature_of
from kingpost.schema.annotation import bare, list_of
from kingpost.schema.text import Scalar, scalar_of

if TYPE_CHECKING:
    from kingpost.app.extensions import Claim
    from kingpost.injection.lookup import Lookup


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
        errand: the function with what it takes from the App.
        context: the context in which `current_app()` is the App.
    """

    name: str
    help: str
    typed: tuple[Typed, ...]
    errand: Errand
    context: Context

    def run(self, values: Mapping[str, Any]) -> None:
        """Call the function; what it needs of the App is made before, and finished afterwards.

        Args:
            values: of `typed`, by name.
        """
        self.errand.run(self.context, **values)


def compile_command(
    name: str, claim: Claim, *, lookup: Lookup, constants: Mapping[type[Any], Any], context: Context
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
    errand = compile_errand(
        by_name(claim.function),
        signature,
        others,
        "a command answers no request",
        lookup=lookup,
        constants=constants,
        threads=Threads(),
        lasting=Lasting(),
    )
    told = inspect.getdoc(claim.function) or ""
    return Command(name, told, tuple(typed), errand, context)


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
