"""What a route reads: each parameter of its handler, its hooks and its providers, with all that is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from kingpost.app.plan import CompiledRoute
from kingpost.binding.choose import without_marker
from kingpost.binding.markers import SAYING, Cookie, Header, Security
from kingpost.binding.plan import Argument
from kingpost.binding.signature import EMPTY, Signature
from kingpost.binding.sources import Source
from kingpost.openapi.components import Schema
from kingpost.openapi.docstring import docstring_of
from kingpost.openapi.schemas import plain
from kingpost.schema.annotation import bare
from kingpost.schema.describe import said_by


class Reading(msgspec.Struct, frozen=True):
    """One parameter of a function.

    Attributes:
        name: as the function has it.
        annotation: its type, without the marker; EMPTY where there is none.
        source: where it comes from.
        description: what `Meta`, the marker or the docstring's `Args:` says; empty where none does.
        examples: as `Meta` has them.
        deprecated: whether clients should stop sending it.
        extra: what else `Meta` has for its schema.
        security: how it says who asks, as the marker has it; None where that says nothing.
    """

    name: str
    annotation: Any
    source: Source
    description: str = ""
    examples: tuple[Any, ...] = ()
    deprecated: bool = False
    extra: Schema = msgspec.field(default_factory=dict[str, Any])
    security: Security | None = None

    def in_schema(self, schema: Schema) -> Schema:
        """A schema with what is said of this one value."""
        said = dict(self.extra)
        if self.examples:
            said["examples"] = [plain(each) for each in self.examples]
        return schema | said


def readings_of(route: CompiledRoute) -> list[Reading]:
    """All that a route reads, the handler's parameters first."""
    served = route.served
    functions: list[tuple[Callable[..., Any], Signature, Sequence[Argument]]] = [
        (route.entry.handler, served.binding.signature, served.binding.arguments)
    ]
    functions += [
        (each.function, each.signature, each.arguments) for each in (*served.before, *served.after)
    ]
    functions += [
        (node.provider.function, node.provider.signature, node.arguments) for node in served.nodes
    ]
    return [
        reading
        for function, signature, arguments in functions
        for reading in of_function(function, signature, arguments)
    ]


def of_function(
    function: Callable[..., Any], signature: Signature, arguments: Sequence[Argument]
) -> Iterator[Reading]:
    annotations = {each.name: each.annotation for each in signature.parameters}
    said = docstring_of(function).parameters
    for argument in arguments:
        annotation = annotations.get(argument.name, EMPTY)
        yield reading_of(argument, annotation, said.get(argument.name, ""))


def reading_of(argument: Argument, annotation: Any, description: str) -> Reading:
    known: dict[str, Any] = {"description": description}
    for meta in bare(annotation).metadata:
        if isinstance(meta, msgspec.Meta):
            known |= {name: value for name, value in said_by(meta).items() if name != "title"}
        elif isinstance(meta, SAYING) and meta.description:
            known["description"] = meta.description
        if isinstance(meta, Header | Cookie):
            known["security"] = meta.security
    return Reading(argument.name, without_marker(annotation), argument.source, **known)
