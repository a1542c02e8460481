"""What a class or an annotation can say beyond its types: which input is refused, and what an answer leaves out."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from kingpost.errors import ConfigurationError
from kingpost.types import Place

T = TypeVar("T")
C = TypeVar("C", bound=type[Any])

Check = Callable[[Any], None]

_CLOSED: weakref.WeakSet[type[Any]] = weakref.WeakSet()
_CHECKS: weakref.WeakKeyDictionary[type[Any], list[Check]] = weakref.WeakKeyDictionary()
_DESCRIBED: weakref.WeakSet[type[Any]] = weakref.WeakSet()


def closed(kind: C) -> C:
    """Refuses fields that a class does not have; they are ignored otherwise.

    As a decorator for a dataclass, a TypedDict and an attrs class; `Annotated[Item, closed]` closes any class for one route or field.
    A Struct says `forbid_unknown_fields=True` and a pydantic model `extra="forbid"`, as ever.

    Example:
        ```python
        from typing import TypedDict

        from kingpost.schema import closed


        @closed
        class Options(TypedDict):
            width: int
        ```
    """
    _before_description(kind, "closed")
    _CLOSED.add(kind)
    return kind


def check(kind: type[T]) -> Callable[[Callable[[T], None]], Callable[[T], None]]:
    """A rule about a whole object, for a class that cannot have one of its own: a TypedDict, a class of somebody else.

    The function gets each object that was read, after all its fields were found good. It raises `Invalid` or another ValueError to
    refuse it.

    Args:
        kind: the class; subclasses are not meant.

    Raises:
        ConfigurationError: a route reads the class already (`schema.late-rule`).

    Example:
        ```python
        from typing import TypedDict

        from kingpost.schema import Invalid, check


        class Span(TypedDict):
            start: int
            end: int


        @check(Span)
        def in_order(span: Span) -> None:
            if span["end"] < span["start"]:
                raise Invalid("must not be before start", "end")
        ```
    """

    def register(function: Callable[[T], None]) -> Callable[[T], None]:
        _before_description(kind, "checked", Place.of(function))
        _CHECKS.setdefault(kind, []).append(function)
        return function

    return register


def _before_description(kind: type[Any], what: str, *places: Place) -> None:
    if kind in _DESCRIBED:
        raise ConfigurationError(
            f"{kind.__name__} is to be {what}, and is in use already without it",
            code="schema.late-rule",
            remedy="say it directly below the class, before the first route that names it",
            places=[*places, Place.of(kind)],
        )


def described(kind: type[Any]) -> None:
    """From here on the rules of a class stand."""
    _DESCRIBED.add(kind)


def is_closed(kind: type[Any]) -> bool:
    # PEP 728: `class Options(TypedDict, closed=True)`.
    return kind in _CLOSED or getattr(kind, "__closed__", None) is True


def checks_of(kind: type[Any]) -> list[Check]:
    return _CHECKS.get(kind, [])


def is_private(metadata: Iterable[object]) -> bool:
    """Whether one of the objects is `Private()`, or its class."""
    module = sys.modules.get("kingpost.schema.private")
    return module is not None and any(
        isinstance(item, module.Private) or item is module.Private for item in metadata
    )


_waiting: list[Callable[[], None]] = []


def on_private(tell: Callable[[], None]) -> None:
    """Have a function called as soon as this process may have private fields; at once if it may already."""
    if has_private():
        tell()
    else:
        _waiting.append(tell)


def has_private() -> bool:
    """Whether this process may have private fields."""
    return "kingpost.schema.private" in sys.modules


def private_is_there() -> None:
    """`Private` is in somebody's hands from now on."""
    for tell in _waiting:
        tell()
    _waiting.clear()


class Without:
    """An answer without some fields: `-> Annotated[User, Without("email", "address.street")]`.

    Args:
        *names: fields as the class spells them; with dots, fields of fields. Lists are looked through.
    """

    __slots__ = ("names",)

    def __init__(self, *names: str) -> None:
        self.names = names

    def __repr__(self) -> str:
        return f"Without({', '.join(map(repr, self.names))})"


class Only:
    """An answer with some fields and no others: `-> list[Annotated[User, Only("id", "name")]]`.

    Args:
        *names: fields as the class spells them; with dots, fields of fields. Lists are looked through.
    """

    __slots__ = ("names",)

    def __init__(self, *names: str) -> None:
        self.names = names

    def __repr__(self) -> str:
        return f"Only({', '.join(map(repr, self.names))})"


class Partial:
    """An answer without the fields that have their default value: `-> Annotated[User, Partial()]`.

    Required fields are always sent; so are defaults that a factory makes, unless it makes an empty list, dict or set.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "Partial()"
