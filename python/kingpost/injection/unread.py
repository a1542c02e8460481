"""Classes that no request may fill: those that providers make, and those that a battery names."""

from __future__ import annotations

import weakref
from typing import Any, Final, TypeVar, get_origin

from kingpost.binding.offer import Unread
from kingpost.schema.annotation import spelled
from kingpost.types import Place

PROVIDED: Final = "a provider makes it"

T = TypeVar("T")

# The values hold no class: a class that its module has dropped is forgotten here as well.
_classes: weakref.WeakKeyDictionary[type[Any], tuple[str, Place]] = weakref.WeakKeyDictionary()
_generics: dict[Any, tuple[str, Place]] = {}


def never_read(kind: type[T], *, because: str) -> type[T]:
    """Refuse, from now on and in the whole process, to read a class from requests.

    Neither it nor a class below it is read, alone or inside something else: `list[Todo]`, a field of a model. A parameter
    whose marker says where it stands, `Annotated[Todo, Body()]`, is read all the same. Call it before an App starts.

    Args:
        kind: what no client may send.
        because: completes "no client may send Todo: …", such as "a repository stores it".

    Returns:
        The class.

    Example:
        >>> from kingpost import Struct
        >>> from kingpost.injection import never_read
        >>> class Todo(Struct):
        ...     text: str
        >>> never_read(Todo, because="a repository stores it") is Todo
        True
    """
    # Of one that a provider makes, the provider is the better thing to tell.
    _classes.setdefault(kind, (because, Place.of_caller()))
    return kind


def know_provided(gives: Any, place: Place) -> None:
    """Know that a provider returns a class, or a generic such as `Repository[User]`."""
    if isinstance(gives, type):
        _classes[gives] = (PROVIDED, place)
    else:
        _generics[gives] = (PROVIDED, place)


def provided_at(kind: Any) -> Place | None:
    """Where some provider of this process returns exactly this class, or it or nothing; None where none does."""
    try:
        found = _classes.get(kind) if isinstance(kind, type) else None
        found = found or _generics.get(kind) or _classes.get(get_origin(kind) or object)
    except TypeError:
        return None
    return found[1] if found is not None and found[0] == PROVIDED else None


def unread(kind: Any) -> Unread | None:
    """Why a class is never read from a request: it is kept from there itself, or one that it derives from is."""
    try:
        found = _generics.get(kind)
    except TypeError:
        return None
    if found is not None:
        return Unread(spelled(kind), *found)
    cls: Any = get_origin(kind) or kind
    for each in cls.__mro__ if isinstance(cls, type) else ():
        found = _classes.get(each)
        if found is not None:
            return Unread(spelled(each), *found)
    return None
