"""Which provider makes a type, as seen from one route: the nearest wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from kingpost.errors import ConfigurationError
from kingpost.injection.provider import Provider, plain, provider_of
from kingpost.schema.annotation import is_below, is_union, spelled

TypeArguments = Mapping[Any, Any]
Overrides = Mapping[Any, Provider]


class Lookup:
    """The providers that a route sees.

    Args:
        levels: nearest first: its blueprint's, that one's blueprint's, …, the App's.
        overrides: by the type, or by the function, that they stand in for.
    """

    def __init__(
        self, levels: Sequence[Sequence[Provider]], overrides: Overrides | None = None
    ) -> None:
        self.levels = levels
        self.overrides: Overrides = overrides or {}

    def find(self, wanted: Any) -> tuple[Provider, TypeArguments] | None:
        """The provider of a type, and what its type variables stand for; None where there is none."""
        wanted = plain(wanted)
        found = self._registered(wanted)
        replaced = get(self.overrides, wanted)
        if replaced is None:
            return None if found is None else (self.replacing(found[0]), found[1])
        return (replaced if found is None else as_long(replaced, found[0])), {}

    def _registered(self, wanted: Any) -> tuple[Provider, TypeArguments] | None:
        for level in self.levels:
            for is_generic in (False, True):
                for provider in level:
                    arguments = matched(provider.gives, wanted)
                    if arguments is not None and bool(arguments) is is_generic:
                        return provider, arguments
        return None

    def of_function(self, function: Callable[..., Any]) -> Provider:
        """The provider that a function is: as it was registered, where it was."""
        for level in self.levels:
            for provider in level:
                if provider.function == function:
                    return self.replacing(provider)
        return self.replacing(provider_of(function))

    def replacing(self, provider: Provider) -> Provider:
        """The provider, or what stands in for it in a test."""
        replaced = get(self.overrides, provider.function)
        return provider if replaced is None else as_long(replaced, provider)


def as_long(replaced: Provider, provider: Provider) -> Provider:
    """What stands in for a provider is kept as long as that one's value."""
    return msgspec.structs.replace(replaced, scope=provider.scope)


def get(overrides: Overrides, key: Any) -> Provider | None:
    try:
        return overrides.get(key)
    except TypeError:  # an annotation that cannot be hashed, such as Literal[[]]
        return None


def check_one_each(level: Sequence[Provider]) -> None:
    """Refuses two providers of one type at one level.

    Raises:
        ConfigurationError: `injection.two-providers`, with both places.
    """
    for index, provider in enumerate(level):
        for other in level[:index]:
            # Two that are generic are one where each stands for all that the other does.
            if None not in (
                matched(other.gives, provider.gives),
                matched(provider.gives, other.gives),
            ):
                raise ConfigurationError(
                    f"{other.name} and {provider.name} both provide {spelled(provider.gives)}",
                    code="injection.two-providers",
                    remedy="keep one of them, or register one on the blueprint that it is for",
                    places=[other.place, provider.place],
                )


def matched(pattern: Any, wanted: Any) -> TypeArguments | None:
    """What the type variables of `pattern` stand for where it is `wanted`; None where it is not."""
    if isinstance(pattern, TypeVar):
        bound = pattern.__bound__
        fits = bound is None or (isinstance(wanted, type) and is_below(wanted, bound))
        return {pattern: wanted} if fits else None
    if pattern == wanted:
        return {}
    origin, arguments, others = get_origin(pattern), get_args(pattern), get_args(wanted)
    is_generic = origin is not None and not is_union(pattern) and origin == get_origin(wanted)
    if not is_generic or len(arguments) != len(others):
        return None
    found: dict[Any, Any] = {}
    for argument, other in zip(arguments, others, strict=True):
        inner = matched(argument, other)
        if inner is None or any(found.get(key, value) != value for key, value in inner.items()):
            return None
        found.update(inner)
    return found


def substituted(annotation: Any, arguments: TypeArguments) -> Any:
    """An annotation with its type variables replaced."""
    if not arguments:
        return annotation
    if isinstance(annotation, TypeVar):
        return arguments.get(annotation, annotation)
    inner = get_args(annotation)
    origin = get_origin(annotation)
    if origin is None or not inner:
        return annotation
    replaced = tuple(substituted(each, arguments) for each in inner)
    if replaced == inner:
        return annotation
    if is_union(annotation):
        joined = replaced[0]
        for each in replaced[1:]:
            joined = joined | each
        return joined
    return annotation.copy_with(replaced) if hasattr(annotation, "copy_with") else origin[replaced]
