"""Kinds of classes: what each has to tell so that bodies, forms, answers and OpenAPI can use it.

Five come with Kingpost: msgspec's Struct, dataclasses, TypedDict, attrs and pydantic (and NamedTuple, which is a list in JSON). A kind
of your own is a `Codec`, made known by `kingpost.schema.register`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from kingpost.schema.problems import Invalid, Location
from kingpost.schema.types import ListType, ModelType, Type, inner

if TYPE_CHECKING:
    from kingpost.schema.describe import Describer
    from kingpost.schema.model import Model

Decode = Callable[[bytes], Any]
Problem = tuple[Location, str, str]


class Codec(Protocol):
    """What a kind of classes has to tell.

    Attributes:
        family: classes of one family are decoded together, in one pass, by the decoder of the family.
    """

    family: str

    def accepts(self, kind: Any) -> bool:
        """Whether a class, without type arguments, is of this kind."""
        ...

    def describe(self, model: Model, describer: Describer) -> None:
        """Fill in the fields of `model.annotation`, and what else is known of it.

        Raises:
            TypeError: a field has a type that no JSON can become.
        """
        ...

    def decoder(self, annotation: Any, kind: Type) -> Decode | None:
        """What makes a value of a JSON document in one pass; None where the general reader has to do it.

        The decoder raises ValueError for whatever it does not take. It must take nothing that the description refuses.

        Args:
            annotation: all of whose models are of this family.
            kind: its description.

        Raises:
            TypeError: it can never be decoded.
        """
        ...

    def construct(self, model: Model, values: dict[str, Any], given: object) -> Any:
        """An object, checked by whatever its class has of its own.

        Args:
            model: the description of its class.
            values: of the fields that were given, by their names in the class, converted.
            given: the JSON that they came from.

        Raises:
            ValueError, TypeError: the class refuses it.
        """
        ...

    def problems(self, model: Model, error: Exception) -> list[Problem]:
        """What an error of `construct` says: the way from the object, code, message; at least one."""
        ...

    def outgoing(self, model: Model, value: Any, without: frozenset[str]) -> Any:
        """An object as dicts, lists and scalars, by the names that JSON has for its fields.

        Args:
            model: the description of its class.
            value: an object of exactly this class.
            without: names of fields, as the class spells them, that are left out.
        """
        ...


def problems_of(model: Model, error: Exception) -> list[Problem]:
    """What an exception of a user's check says, by the names that JSON has: what `Codec.problems` returns for most kinds."""
    if isinstance(error, Invalid):
        return [(aliased(model.type, error.path), error.code, error.message)]
    return [((), "invalid", str(error))]


def aliased(kind: Type, path: Location) -> Location:
    """A way through names of a class as a way through names of JSON."""
    if not path:
        return ()
    step, rest = path[0], path[1:]
    kind = inner(kind)
    if isinstance(kind, ModelType) and isinstance(step, str):
        field = kind.model.field(step)
        if field is not None:
            return (field.alias, *aliased(field.type, rest))
    elif isinstance(kind, ListType):
        return (step, *aliased(kind.item, rest))
    return path


def at_path(value: object, path: Location) -> tuple[bool, object]:
    """Whether something stands at the end of a way into JSON, and what."""
    for step in path:
        parts = parts_of(value)
        if step not in parts:
            return False, None
        value = parts[step]
    return True, value


def parts_of(value: object) -> dict[Any, object]:
    if isinstance(value, dict):
        return cast("dict[Any, object]", value)
    if isinstance(value, list):
        return dict(enumerate(cast("list[object]", value)))
    return {}
