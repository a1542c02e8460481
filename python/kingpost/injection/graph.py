"""What a function needs: its parameters, the providers that make them, and what those need in turn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, get_args, get_origin

import msgspec

from kingpost.binding.choose import Chooser
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument, keyword_of
from kingpost.binding.signature import Signature
from kingpost.binding.sources import Constant, FromProvider, Source
from kingpost.errors import ConfigurationError
from kingpost.injection.lookup import Lookup, TypeArguments, substituted
from kingpost.injection.provider import Kind, Provider
from kingpost.injection.unread import provided_at, unread
from kingpost.schema.annotation import spelled
from kingpost.types import Place, Scope

MAX_DEPTH: Final = 50
"""Providers that need one another in a row."""


class Node(msgspec.Struct, frozen=True, eq=False):
    """One value that is made for a route: a provider with its arguments.

    Attributes:
        key: the same for two parameters that share the value.
        provider: makes it.
        arguments: what it is called with.
    """

    key: tuple[Any, ...]
    provider: Provider
    arguments: tuple[Argument, ...]

    @property
    def name(self) -> str:
        return self.provider.name


class Graph:
    """The providers of one route, each followed once.

    Args:
        lookup: the providers that the route sees.
        offer: what the route has to offer to parameters; its `provided` is filled in here.
    """

    def __init__(self, lookup: Lookup, offer: Offer) -> None:
        self.lookup = lookup
        self.nodes: dict[tuple[Any, ...], Node] = {}
        self.offer = msgspec.structs.replace(
            offer,
            provided=self.source_of,
            depends=self.depends_on,
            provided_at=provided_at,
            unread=unread,
        )
        self._path: list[tuple[tuple[Any, ...], str, Place]] = []

    def arguments_of(
        self,
        signature: Signature,
        type_arguments: TypeArguments | None = None,
        *,
        parameters: Sequence[inspect.Parameter] | None = None,
    ) -> tuple[Argument, ...]:
        """The sources of a function's parameters, or of some of them.

        Raises:
            ConfigurationError: one of them cannot be served, or a provider on the way to it cannot be.
        """
        return tuple(
            Argument(
                parameter.name,
                keyword_of(parameter),
                self._source(signature, parameter, type_arguments or {}),
            )
            for parameter in (signature.parameters if parameters is None else parameters)
        )

    def _source(
        self, signature: Signature, parameter: inspect.Parameter, type_arguments: TypeArguments
    ) -> Source:
        annotation = substituted(parameter.annotation, type_arguments)
        if get_origin(annotation) is type and annotation != parameter.annotation:
            model = get_args(annotation)[0]
            return Constant(model, f"the class {spelled(model)}")
        return Chooser(signature, self.offer, parameter.replace(annotation=annotation)).source()

    def source_of(self, annotation: Any) -> Source | None:
        """The provider of a type; None where the route sees none."""
        found = self.lookup.find(annotation)
        return None if found is None else self._provided(*found)

    def depends_on(self, function: Callable[..., Any]) -> Source:
        """The value of a function that a parameter is marked with."""
        return self._provided(self.lookup.of_function(function), {})

    def _provided(self, provider: Provider, type_arguments: TypeArguments) -> Source:
        node = self.node_of(provider, type_arguments)
        if node.provider.scope == "app":
            check_lasting(provider.signature, node.arguments, "it is made once, at start")
        elif node.provider.scope == "connection":
            check_lasting(
                provider.signature,
                node.arguments,
                "it is made once for a connection",
                scopes=("app", "connection"),
            )
        return FromProvider(node, node.name)

    def node_of(self, provider: Provider, type_arguments: TypeArguments) -> Node:
        """The node of a provider.

        Raises:
            ConfigurationError: `injection.cycle`, with the path.
        """
        key = (provider.function, *sorted(type_arguments.items(), key=repr))
        known = self.nodes.get(key)
        if known is not None:
            return known
        on_the_way = [step for step, _, _ in self._path]
        if key in on_the_way:
            self.refuse_cycle(self._path[on_the_way.index(key) :])
        if len(on_the_way) == MAX_DEPTH:
            # `def box(inner: Box[list[T]]) -> Box[T]` never comes to an end.
            self.refuse_cycle(self._path[-3:])
        self._path.append((key, provider.name, provider.place))
        try:
            arguments = self.arguments_of(provider.signature, type_arguments)
        finally:
            self._path.pop()
        check_colours(provider.signature, provider.kind, arguments)
        node = self.nodes[key] = Node(key, provider, arguments)
        return node

    def refuse_cycle(self, steps: Iterable[tuple[tuple[Any, ...], str, Place]]) -> None:
        names = [name for _, name, _ in steps]
        raise ConfigurationError(
            f"to make {names[0]} it is needed itself: {' -> '.join([*names, names[0]])}",
            code="injection.cycle",
            remedy="take one of the parameters away",
            places=[place for _, _, place in steps],
        )


def check_lasting(
    signature: Signature,
    arguments: Iterable[Argument],
    why: str,
    *,
    scopes: Sequence[Scope] = ("app",),
) -> None:
    """Refuses what runs at start, or for a connection, and asks for something that does not last as long.

    Args:
        signature: of what runs.
        arguments: what it asks for.
        why: why it cannot have anything else.
        scopes: of providers that last long enough.

    Raises:
        SignatureError: `injection.scope`.
    """
    for argument in arguments:
        source = argument.source
        if isinstance(source, Constant):
            continue
        scope: Scope = source.node.provider.scope if isinstance(source, FromProvider) else "request"
        if scope in scopes:
            continue
        raise signature.refused(
            "injection.scope",
            f"{why}, and {argument.name} is there during a {scope} only ({source.words})",
            f'register what makes it with scope="{scopes[-1]}"',
            f"take {argument.name} away",
        )


def check_colours(signature: Signature, kind: Kind, arguments: Iterable[Argument]) -> None:
    """Refuses what runs on the loop and names a type whose use blocks.

    Raises:
        SignatureError: `injection.blocks`.
    """
    if kind not in ("async", "asyncgen"):
        return
    for argument in arguments:
        if not isinstance(argument.source, FromProvider):
            continue
        other = argument.source.node.provider.async_type
        if other is not None:
            raise signature.refused(
                "injection.blocks",
                f"{argument.name} blocks its thread while it is used, and an async def runs on the event loop",
                f"ask for {other.__name__}",
                "write `def`",
            )


def needed(arguments: Iterable[Argument]) -> list[Node]:
    """The nodes that must be made before a function is called, each after those that it needs itself."""
    order: dict[tuple[Any, ...], Node] = {}

    def follow(arguments: Iterable[Argument]) -> None:
        for argument in arguments:
            if isinstance(argument.source, FromProvider):
                node: Node = argument.source.node
                # What lasts was made at start.
                if node.provider.scope != "app" and node.key not in order:
                    if node.provider.scope == "request":
                        follow(node.arguments)
                    order.setdefault(node.key, node)

    follow(arguments)
    return list(order.values())
