"""What a route may demand of a request besides its method and its path: `when=`.

A predicate is a function of the request that says yes or no. It runs on the event loop, before the body is read, and must not block. Those
of this module say as well what they look at, so that the answer tells caches (`Vary`), and `kingpost routes` tells people.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import msgspec

from kingpost.http.accept import parse_accept, weight_of
from kingpost.http.media_type import MediaType
from kingpost.http.request import Request
from kingpost.routing.refusal import refused
from kingpost.types import Place

Predicate: TypeAlias = Callable[[Request], bool]
"""Whether a route is the one for a request."""


class Accepts:
    """The client takes one of these media types.

    Of several routes that differ by it, the one answers whose type the client wants most; of those wanted alike, the first.

    Args:
        types: what the route can answer with, such as `"text/html"`.

    Example:
        `@app.get("/", when=Accepts("text/html"))`

    Raises:
        RoutingError: `routing.bad-predicate` for what is no media type.
    """

    __slots__ = ("types",)

    def __init__(self, *types: str) -> None:
        for each in types:
            parsed = MediaType.parse(each)
            if parsed is None or "*" in (parsed.type, parsed.subtype):
                raise bad_predicate(f"Accepts({each!r}) names no media type", "write type/subtype")
        if not types:
            raise bad_predicate("Accepts() names no media type", "write Accepts('text/html')")
        self.types = tuple(each.lower() for each in types)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Accepts) and set(self.types) == set(other.types)

    def __hash__(self) -> int:
        return hash(frozenset(self.types))

    def __call__(self, request: Request) -> bool:
        return self.weight(request) > 0

    def weight(self, request: Request) -> float:
        """How much the client wants what the route gives, 0 to 1."""
        field = accept_of(request)
        return max(weight_of(field, each) for each in self.types)

    @property
    def vary(self) -> tuple[str, ...]:
        return ("accept",)

    def __str__(self) -> str:
        return f"Accept {' or '.join(self.types)}"


class HasHeader(msgspec.Struct, frozen=True):
    """The request has a header field.

    Args:
        name: of the field, without case.
        value: what it must be, with case; anything if not said.

    Example:
        `@app.get("/todos", when=HasHeader("HX-Request", "true"))`
    """

    name: str
    value: str | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "name", self.name.lower())

    def __call__(self, request: Request) -> bool:
        values = request.headers.get_all(self.name)
        return bool(values) if self.value is None else values == [self.value]

    @property
    def vary(self) -> tuple[str, ...]:
        return (self.name,)

    def __str__(self) -> str:
        return f"header {self.name}" + ("" if self.value is None else f" = {self.value}")


class HasQuery(msgspec.Struct, frozen=True):
    """The query has a parameter.

    Args:
        name: of the parameter.
        value: what it must be; anything if not said.

    Example:
        `@app.get("/export", when=HasQuery("format", "csv"))`
    """

    name: str
    value: str | None = None

    def __call__(self, request: Request) -> bool:
        values = request.query.get_all(self.name)
        return bool(values) if self.value is None else values == [self.value]

    def __str__(self) -> str:
        return f"query {self.name}" + ("" if self.value is None else f" = {self.value}")


class AcceptsVersion(msgspec.Struct, frozen=True):
    """`Accept` names a version: `application/json; version=2`. A client that names another hears 406.

    Of several that are named the one that is wanted most answers.
    """

    version: str

    def __call__(self, request: Request) -> bool:
        return self.weight(request) > 0

    def weight(self, request: Request) -> float:
        """How much the client wants the version, 0 to 1."""
        wishes = parse_accept(accept_of(request))
        return max(
            (
                wish.weight
                for wish in wishes
                if wish.media_type.parameters.get("version") == self.version
            ),
            default=0.0,
        )

    @property
    def types(self) -> tuple[str, ...]:
        return (f"version={self.version}",)

    @property
    def vary(self) -> tuple[str, ...]:
        return ("accept",)

    def __str__(self) -> str:
        return f"Accept version = {self.version}"


def accept_of(request: Request) -> str | None:
    """All that a request says it accepts."""
    return ",".join(request.headers.get_all("accept")) or None


def check_predicates(when: object) -> tuple[Predicate, ...]:
    """The predicates of a route: one, or a list of them.

    Raises:
        RoutingError: `routing.bad-predicate`.
    """
    listed = list(when) if isinstance(when, Sequence) and not isinstance(when, str) else [when]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - it is looked at
    found: list[Predicate] = []
    for each in listed:  # pyright: ignore[reportUnknownVariableType] - it is looked at
        if isinstance(each, type) or not callable(each):  # pyright: ignore[reportUnknownArgumentType] - it is looked at
            raise bad_predicate(
                f"when={each!r} is no function of a request",
                "write def f(request: Request) -> bool",
            )
        if inspect.iscoroutinefunction(each) or inspect.iscoroutinefunction(
            getattr(type(each), "__call__", None)  # noqa: B004 - the function is looked at
        ):
            raise bad_predicate(
                f"the predicate {words_of(cast('Predicate', each))} is async, and is asked before anything may wait",
                "write `def`, and look only at the request's head",
            )
        found.append(cast("Predicate", each))
    return tuple(found)


def words_of(predicate: Predicate) -> str:
    """What `kingpost routes` calls a predicate."""
    own: object = type(predicate).__str__
    if own is not object.__str__:
        return str(predicate)
    return str(getattr(predicate, "__qualname__", None) or type(predicate).__qualname__)


def bad_predicate(message: str, remedy: str) -> Exception:
    return refused("routing.bad-predicate", message, remedy, places=[Place.of_caller()])
