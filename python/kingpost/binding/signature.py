"""The signature of a handler, its annotations resolved; and the words to refuse one."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import typing
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import msgspec

from kingpost.errors import SignatureError
from kingpost.schema.annotation import class_of, spelled, values_in
from kingpost.types import Place

EMPTY = inspect.Parameter.empty


class Signature(msgspec.Struct, frozen=True):
    """What a function takes and returns.

    Attributes:
        name: the function's, for messages.
        parameters: in order, with resolved annotations; `EMPTY` where there is none.
        returns: the resolved return annotation; `EMPTY` where there is none.
        place: where it was written.
    """

    name: str
    parameters: tuple[inspect.Parameter, ...]
    returns: Any
    place: Place

    def __str__(self) -> str:
        shown = ", ".join(shown_parameter(parameter) for parameter in self.parameters)
        returns = "" if self.returns is EMPTY else f" -> {spelled(self.returns)}"
        return f"{self.name}({shown}){returns}"

    def refused(
        self, code: str, problem: str, *remedies: str, places: Iterable[Place] = ()
    ) -> SignatureError:
        return signature_refused(code, f"{self}: {problem}", remedies, [self.place, *places])


def shown_parameter(parameter: inspect.Parameter) -> str:
    stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
    stars = "**" if parameter.kind is parameter.VAR_KEYWORD else stars
    name = stars + parameter.name
    if parameter.annotation is not EMPTY:
        name += f": {spelled(parameter.annotation)}"
    if parameter.default is not EMPTY:
        name += (
            f" = {parameter.default!r}"
            if parameter.annotation is not EMPTY
            else f"={parameter.default!r}"
        )
    return name


def signature_refused(
    code: str, message: str, remedies: Iterable[str], places: Iterable[Place]
) -> SignatureError:
    """The error for a function that cannot be called, with the spellings that could be."""
    return SignatureError(message, code=code, remedy="; or ".join(remedies), places=tuple(places))


def signature_of(function: Callable[..., Any]) -> Signature:
    """The signature of a handler.

    Raises:
        SignatureError: `binding.unresolved-name` or `binding.bad-annotation` where an annotation cannot be evaluated or is no type,
            `binding.no-signature` for a callable that has none.
    """
    place = Place.of(annotated(function))
    name = getattr(function, "__name__", type(function).__name__)
    try:
        plain = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise signature_refused(
            "binding.no-signature", f"{name} has no signature: {error}", ["write a def"], [place]
        ) from error
    hints = resolved_hints(function, name, place)
    parameters = tuple(
        parameter.replace(annotation=hints.get(parameter.name, EMPTY))
        for parameter in plain.parameters.values()
    )
    signature = Signature(name, parameters, hints.get("return", EMPTY), place)
    check_annotations(signature)
    return signature


def check_annotations(signature: Signature) -> None:
    """Refuses what stands in the place of a type, such as `-> [int]`.

    Raises:
        SignatureError: `binding.bad-annotation`.
    """
    annotations = (*(each.annotation for each in signature.parameters), signature.returns)
    for value in (value for each in annotations for value in values_in(each)):
        raise signature.refused(
            "binding.bad-annotation",
            f"{spelled(value)} is no type",
            f"write {type_meant(value)}",
        )


def type_meant(value: Any) -> str:
    """The type that somebody may have meant who wrote a value."""
    kind = class_of(value)
    if kind in (list, set, frozenset):
        return f"{kind.__name__}[{' | '.join(map(spelled, value))}]" if value else kind.__name__
    if kind is tuple:
        return f"tuple[{', '.join(map(spelled, value))}]" if value else "tuple"
    if isinstance(value, ModuleType):
        return f"a class of it, such as {value.__name__}.Name"
    if value is Ellipsis or inspect.isroutine(value):
        return "Any, of typing" if value is any else "a class"
    return "a Struct that has these fields" if kind is dict else kind.__name__


def annotated(function: Callable[..., Any]) -> Any:
    """The object that carries the annotations: the function below partials, wrappers and callable objects."""
    while True:
        if isinstance(function, type):
            made_by: Any = function.__init__  # type: ignore[misc]  # of this very class
            # The fields of a dataclass and of a Struct are annotated in the class.
            return (
                made_by
                if inspect.isfunction(made_by) and not hasattr(function, "__dataclass_fields__")
                else function
            )
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.isfunction(function) or inspect.ismethod(function):
            return inspect.unwrap(function)
        elif inspect.isfunction(call := getattr(type(function), "__call__", None)):  # noqa: B004 - the function is wanted
            return call
        else:
            return function


def resolved_hints(function: Callable[..., Any], name: str, place: Place) -> dict[str, Any]:
    carrier = annotated(function)
    try:
        hints = typing.get_type_hints(carrier, include_extras=True)
    except NameError as error:
        raise unresolved(carrier, name, place, error) from error
    except Exception as error:
        raise signature_refused(
            "binding.bad-annotation",
            f"an annotation of {name} cannot be evaluated: {error}",
            ["mend the annotation"],
            [place],
        ) from error
    # get_type_hints() makes NoneType of None, and forgets whether there was an annotation at all only for parameters.
    return hints


def unresolved(carrier: Any, name: str, place: Place, error: NameError) -> SignatureError:
    missing = error.name or str(error)
    code = getattr(carrier, "__code__", None)
    if code is not None and missing in names_for_checkers(code.co_filename):
        remedy = f"import {missing} outside of `if TYPE_CHECKING:`; its value is needed when the App starts"
    else:
        remedy = f"import {missing}, or define it at the top level of the module"
    return signature_refused(
        "binding.unresolved-name",
        f"{name} has an annotation that names {missing}, which does not exist",
        [remedy],
        [place],
    )


def names_for_checkers(file: str) -> set[str]:
    """Names that a source file imports under `if TYPE_CHECKING:`."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return set()
    names: set[str] = set()
    for block in ast.walk(tree):
        if isinstance(block, ast.If) and ast.unparse(block.test).endswith("TYPE_CHECKING"):
            for statement in block.body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    names.update(alias.asname or alias.name for alias in statement.names)
    return names
