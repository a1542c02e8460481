"""Annotations taken apart: `Annotated`, `Optional`, NewType, `type` aliases and lists, down to what they are about."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, is_typeddict

import msgspec

from kingpost.schema.rules import Rules, metas_in

LISTS: dict[object, Any] = {
    list: list,
    Sequence: list,
    Iterable: list,
    Collection: list,
    set: set,
    AbstractSet: set,
    frozenset: frozenset,
}
"""How often-repeated query parameters are collected, by what their annotation says."""

VALUES = (
    *(bool, int, float, complex, bytes, list, tuple, dict, set, frozenset),
    *(types.EllipsisType, types.ModuleType, types.FunctionType, types.BuiltinFunctionType),
)
"""What stands in annotations by mistake: `[int]`, `(int, str)`, `any`, a module."""


class Bare(msgspec.Struct, frozen=True):
    """An annotation without its wrappers."""

    type: Any
    is_optional: bool
    metadata: tuple[object, ...]

    @property
    def rules(self) -> Rules:
        return Rules.joined(metas_in(self.metadata))


def bare(annotation: Any) -> Bare:
    """`Annotated[int | None, Meta(ge=1)]` is int, optional, with one Meta."""
    metadata: list[object] = []
    is_optional = False
    while True:
        if isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            # `type Page = int` of Python 3.12; the class has no public name in 3.11.
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            metadata[:0] = annotation.__metadata__
            annotation = annotation.__origin__
        elif is_union(annotation) and type(None) in get_args(annotation):
            is_optional = True
            annotation = without_none(annotation)
        else:
            return Bare(annotation, is_optional, tuple(metadata))


def values_in(annotation: Any) -> Iterator[object]:
    """What an annotation has in the place of types, at any depth: `[int]` in `-> [int]` and in `-> list[[int]]`."""
    origin = get_origin(annotation)
    if origin is None:
        if isinstance(annotation, VALUES) or not is_hashable(annotation):
            yield annotation
    elif origin is Annotated:
        yield from values_in(annotation.__origin__)
    elif origin is Literal:
        yield from (each for each in get_args(annotation) if not is_hashable(each))
    elif origin is not Callable:
        for each in get_args(annotation):
            # In `tuple[int, ...]`, and the parameters of a generic callable.
            if each is not Ellipsis and not isinstance(each, tuple):
                yield from values_in(each)


def is_hashable(value: object) -> bool:
    """Whether a value has a hash, as every type has."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def is_below(kind: type[Any], other: type[Any]) -> bool:
    """Whether a class is another or derives from it; not where the other is one that cannot be asked, such as a TypedDict."""
    try:
        return issubclass(kind, other)
    except TypeError:
        return False


def is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def without_none(annotation: Any) -> Any:
    members = tuple(member for member in get_args(annotation) if member is not type(None))
    return Union[members] if members else type(None)  # noqa: UP007 - the members are not known when this is written


def list_of(annotation: Any) -> tuple[Any, Any] | None:
    """(container, item annotation) for `list[T]` and its like; None for all else. A bare `list` has items of type Any."""
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple, arguments[0]
    try:
        container = LISTS.get(origin)
    except TypeError:
        return None
    if container is None:
        return None
    return container, arguments[0] if arguments else Any


def generic(container: Any, *arguments: Any) -> Any:
    """`container[arguments]`, of types that are not known when this is written."""
    return container[arguments]


def class_of(value: object) -> type[Any]:
    """`type(value)`, for checkers that want to know what it is a class of."""
    return type(value)


def is_typed_dict(kind: Any) -> bool:
    """Whether a class is a TypedDict, of typing or of typing_extensions."""
    return is_typeddict(kind) or (
        isinstance(kind, type) and dict in kind.__mro__ and hasattr(kind, "__required_keys__")
    )


def is_model_class(kind: Any) -> bool:
    """Whether a type has named fields and is of a kind that msgspec reads: Struct, dataclass, TypedDict, attrs; also with type arguments."""
    kind = get_origin(kind) or kind
    if not isinstance(kind, type):
        return False
    model: Any = kind
    return (
        is_typed_dict(model)
        or dataclasses.is_dataclass(model)
        or issubclass(kind, msgspec.Struct)
        or hasattr(model, "__attrs_attrs__")
    )


def spelled(annotation: Any) -> str:
    """An annotation as a person would write it."""
    if is_union(annotation):
        return " | ".join(map(spelled, get_args(annotation)))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is not None and arguments:
        return f"{spelled_name(origin)}[{', '.join(spelled_arguments(origin, arguments))}]"
    kind = class_of(annotation)
    if kind is list:
        return f"[{', '.join(map(spelled, annotation))}]"
    if kind is tuple:
        return f"({', '.join(map(spelled, annotation))})"
    return spelled_name(annotation)


def spelled_arguments(origin: Any, arguments: tuple[Any, ...]) -> Iterator[str]:
    if origin is Literal:
        yield from map(repr, arguments)
    elif origin is Annotated:
        yield spelled(arguments[0])
        yield from (repr(item).removeprefix("msgspec.") for item in arguments[1:])
    else:
        yield from map(spelled, arguments)


def spelled_name(annotation: Any) -> str:
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, types.ModuleType):
        return annotation.__name__
    name: str = getattr(annotation, "__qualname__", "") or str(annotation)
    return name.rpartition("<locals>.")[2].removeprefix("typing.")
