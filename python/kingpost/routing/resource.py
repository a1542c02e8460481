"""From a resource class to the routes that its methods answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from kingpost.errors import RoutingError
from kingpost.routing.options import (
    LISTS,
    RouteOptions,
    WebSocketOptions,
    check_websocket_options,
)
from kingpost.routing.refusal import refused
from kingpost.routing.route import MARK, Handler, Mark, Resource, Route
from kingpost.types import WEBSOCKET, Place

VERBS = {
    verb.lower(): verb
    for verb in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", WEBSOCKET)
}
"""Names of methods; `websocket` answers those who ask for one."""


def resource_routes(resource: Resource, instance: object) -> Iterator[Route]:
    """The routes of a resource, answered by the methods of `instance`.

    Raises:
        RoutingError: `routing.empty-resource` where no method answers anything.
    """
    base = resource.options.get("name", resource.type.__name__)
    found = False
    for name in method_names(resource.type):
        method = getattr(instance, name)
        mark = cast("Mark | None", getattr(method, MARK, None))
        if mark is None and name not in VERBS:
            continue
        found = True
        yield method_route(resource, base, name, method, mark)
    if not found:
        raise empty_resource(resource)


def method_names(kind: type[Any]) -> list[str]:
    """Names of the methods in the order of their definition, inherited ones first."""
    names: dict[str, None] = {}
    for base in reversed(kind.__mro__):
        names.update(dict.fromkeys(vars(base)))
    return [name for name in names if not name.startswith("__") and callable(getattr(kind, name))]


def method_route(
    resource: Resource, base: str, name: str, method: Handler, mark: Mark | None
) -> Route:
    options = cast("RouteOptions", {**resource.options})
    path = resource.path
    methods: tuple[str, ...] = (VERBS.get(name, "GET"),)
    if methods == (WEBSOCKET,):
        options = of_websocket(options, mark)
    options["name"] = base
    if mark is not None:
        path += mark.path
        methods = mark.methods or methods
        options["name"] = f"{base}.{mark.options.get('name', name)}" if mark.path else base
        own = {option: value for option, value in mark.options.items() if option != "name"}
        for option in LISTS:
            # What the class says runs outside of what the method adds.
            if option in own and option in options:
                both = (*cast("Any", options)[option], *cast("Any", own)[option])
                own[option] = both[::-1] if option == "after" else both
        options = cast("RouteOptions", {**options, **own})
    route = Route.__new__(Route)
    route.path, route.handler, route.methods, route.options = path, method, methods, options
    route.place = Place.of(method)
    return route


def of_websocket(options: RouteOptions, mark: Mark | None) -> RouteOptions:
    """What the options of a resource say of its WebSocket: those about answers are for its other methods."""
    if mark is not None:
        check_websocket_options(mark.options)
    kept = {
        option: value
        for option, value in options.items()
        if option in WebSocketOptions.__annotations__
    }
    return cast("RouteOptions", kept)


def empty_resource(resource: Resource) -> RoutingError:
    name = resource.type.__name__
    near = [
        found for found in method_names(resource.type) if found.lower().removeprefix("on_") in VERBS
    ]
    remedy = "give it a method called get, post, put, patch or delete, or one marked @route(path)"
    if near:
        remedy = f"rename {near[0]} to {near[0].lower().removeprefix('on_')}"
    return refused(
        "routing.empty-resource",
        f"the resource {name} answers nothing",
        remedy,
        places=[resource.place],
    )
