"""At start-up: which routes the engine can tell apart by itself, and the choices between the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kingpost import _native
from kingpost.app.choosing import Candidate, Choice, Choices
from kingpost.app.plan import CompiledRoute
from kingpost.app.served import REQUEST
from kingpost.binding.plan import Binding
from kingpost.errors import RoutingError
from kingpost.http.request import Request
from kingpost.routing.shape import Shape, shape_of
from kingpost.types import Mode


def choose(
    routes: Sequence[CompiledRoute], router: _native.Router, mode: Mode
) -> tuple[list[tuple[CompiledRoute, tuple[str, ...]]], Choices]:
    """Which routes the engine can tell apart, with the methods by which it does, and choices for the others.

    Raises:
        RoutingError: `routing.conflict` for two that no request tells apart; `routing.mixed-bodies`.
    """
    choices = Choices(router, routes)
    if not any(route.conditions for route in routes):
        return [(route, route.methods) for route in routes], choices
    shared: dict[Shape, dict[str, list[CompiledRoute]]] = {}
    for route in routes:
        methods = shared.setdefault(shape_of(route.native_pattern), {})
        for method in route.methods:
            methods.setdefault(method, []).append(route)
    plain: dict[int, list[str]] = {}
    grouped: dict[tuple[int, ...], list[str]] = {}
    for methods in shared.values():
        for method, group in methods.items():
            if any(route.conditions for route in group):
                check_distinct(method, group)
                grouped.setdefault(tuple(route.index for route in group), []).append(method)
            else:
                for route in group:
                    plain.setdefault(route.index, []).append(method)
    for indices, names in grouped.items():
        candidates = [candidate_of(routes[index], mode) for index in indices]
        choices.choices.append(Choice(len(routes) + len(choices.choices), names, candidates))
    for choice in choices.choices:
        add_rivals(choice, choices.choices, routes, plain, mode)
        check_bodies(choice)
    return [(routes[index], tuple(methods)) for index, methods in plain.items()], choices


def check_distinct(method: str, group: Sequence[CompiledRoute]) -> None:
    for number, route in enumerate(group):
        for other in group[:number]:
            if route.conditions.is_like(other.conditions):
                condition = f" ({route.conditions})" if route.conditions else ""
                raise RoutingError(
                    f"routes '{method} {other.path}' at {other.entry.source} and '{method} {route.path}' at {route.entry.source} collide, "
                    f"as both match the same requests{condition}; change the path, the method, the hosts or the predicates of one",
                    code="routing.conflict",
                )


def candidate_of(route: CompiledRoute, mode: Mode) -> Candidate:
    function, kind, binding = route.served.as_called(mode)
    if binding is not REQUEST:
        function = bound(function, binding, is_async=kind == "async")
    names = tuple(parameter.name for parameter in route.pattern.parameters)
    return Candidate(route, route.conditions, names, function, kind)


def bound(
    function: Callable[..., Any], binding: Binding, *, is_async: bool
) -> Callable[[Request], Any]:
    """A handler that nothing runs around, as a function of the request."""
    binder = _native.Binder(binding.binders, binding.slow)
    names = tuple(each.keyword for each in binding.arguments if each.keyword is not None)
    at = len(binding.arguments) - len(names)

    async def call(request: Request) -> Any:
        values = binder(request)
        return await function(*values[:at], **dict(zip(names, values[at:], strict=True)))

    def call_here(request: Request) -> Any:
        values = binder(request)
        return function(*values[:at], **dict(zip(names, values[at:], strict=True)))

    return call if is_async else call_here


def add_rivals(
    choice: Choice,
    choices: Sequence[Choice],
    routes: Sequence[CompiledRoute],
    plain: Mapping[int, Sequence[str]],
    mode: Mode,
) -> None:
    """Who is asked where none of a choice is meant: all that may match its paths and that the router would ask later."""
    methods = {*choice.methods, *(("GET",) if "HEAD" in choice.methods else ())}

    def is_rival(shape: Shape, others: Sequence[str]) -> bool:
        return (
            bool(methods.intersection(others))
            and shape.order >= choice.shape.order
            and shape.overlaps(choice.shape)
        )

    rivals = [
        other for other in choices if other is not choice and is_rival(other.shape, other.methods)
    ]
    for index, others in plain.items():
        if is_rival(shape_of(routes[index].native_pattern), others):
            rivals.append(Choice(index, others, [candidate_of(routes[index], mode)]))
    choice.rivals = sorted(rivals, key=lambda each: each.shape.order)


def check_bodies(choice: Choice) -> None:
    first, *others = choice.reachable
    for other in others:
        if first.route.served.binding.streams is not other.route.served.binding.streams:
            raise RoutingError(
                f"{first.route.path}: one route takes the body unread and another wants it read, and which of them is meant is only seen later",
                code="routing.mixed-bodies",
                remedy="let both take the body in the same way, or give them different paths",
                places=[first.route.place, other.route.place],
            )
