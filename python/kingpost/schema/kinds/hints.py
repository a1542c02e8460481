"""The annotations of a class, resolved, with its type arguments put in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar, get_args, get_origin, get_type_hints


def hints_of(annotation: Any) -> dict[str, Any]:
    """The annotations of a class by name, those of its bases included.

    Args:
        annotation: the class, with its type arguments if it has some.

    Raises:
        NameError: an annotation names what does not exist.
    """
    cls = get_origin(annotation) or annotation
    arguments = arguments_of(annotation)
    hints = get_type_hints(cls, include_extras=True)
    if not arguments:
        return hints
    return {name: substituted(hint, arguments) for name, hint in hints.items()}


def arguments_of(annotation: Any) -> dict[Any, Any]:
    """What stands for each type variable of a class and of its bases."""
    cls = get_origin(annotation) or annotation
    found: dict[Any, Any] = dict(
        zip(getattr(cls, "__parameters__", ()), get_args(annotation), strict=False)
    )
    for base in getattr(cls, "__orig_bases__", ()):
        if get_origin(base) not in (None, Generic, Protocol):
            found |= arguments_of(substituted(base, found))
    return found


def substituted(hint: Any, arguments: Mapping[Any, Any]) -> Any:
    if isinstance(hint, TypeVar):
        return arguments.get(hint, hint)
    parameters: tuple[Any, ...] = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type):
        return hint
    return hint[tuple(arguments.get(parameter, parameter) for parameter in parameters)]
