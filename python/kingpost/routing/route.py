"""What a table of routes is made of: Route, Include and the groups that are included; and `@route` for resources."""

from __future__ import annotations

import re
import sys
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, TypeVar, Unpack

import msgspec

from kingpost.errors import RoutingError
from kingpost.routing.converters import Converters
from kingpost.routing.options import (
    RouteOptions,
    WebSocketOptions,
    check_options,
    check_websocket_options,
)
from kingpost.routing.ordering import Layered, ordered
from kingpost.routing.refusal import refused
from kingpost.types import WEBSOCKET, Mode, Place, Scope

if TYPE_CHECKING:
    from kingpost.http.response import Response
    from kingpost.routing.mount import GuestMount, Mount

Handler = Callable[..., Any]
F = TypeVar("F", bound=Handler)

METHOD = re.compile(r"[A-Z][A-Z0-9-]{0,31}", re.ASCII)
MARK = "__kingpost_route__"


class Constant:
    """Answers with the same response for ever; where nothing runs around it the engine sends it without any Python."""

    def __init__(self, response: Response[Any]) -> None:
        # Whoever has a Response has imported this already.
        from kingpost.http.response import copy_of

        self.response = response
        self._copy = copy_of

    def __call__(self) -> Any:
        """A copy: what runs around it may change what it is given."""
        return self._copy(self.response)


class Route:
    """One route: a path, the handler that answers it, its methods and its options.

    In place of a handler there may be a Response: then that is the answer to every request, and no Python runs for it.

    Example:
        `App(routes=[Route("/", home), Route("/todos", add, methods=["POST"], status=201), Route("/ping", Response("pong"))])`

    Raises:
        RoutingError: for a path, a method or an option that cannot work.
    """

    __slots__ = ("handler", "methods", "options", "path", "place")

    def __init__(
        self,
        path: str,
        handler: Handler | Response[Any],
        /,
        *,
        methods: Sequence[str] = ("GET",),
        **options: Unpack[RouteOptions],
    ) -> None:
        self.place = Place.of_caller()
        self.path = checked_path(path)
        self.methods = checked_methods(methods)
        self.options = check_options(options)
        if is_response(handler):
            # It waits for nothing, whatever the route was told.
            self.options["inline"] = True
            self.handler: Handler = Constant(handler)  # pyright: ignore[reportUnknownArgumentType] - any content
        else:
            self.handler = checked_handler(handler)

    @classmethod
    def websocket(
        cls, path: str, handler: Handler, /, **options: Unpack[WebSocketOptions]
    ) -> Route:
        """A WebSocket route: what `@app.websocket` makes, for a table.

        Example:
            `App(routes=[Route("/", page), Route.websocket("/clock", clock)])`
        """
        return websocket_route(path, handler, check_websocket_options(options), Place.of_caller())


def websocket_route(path: str, handler: Handler, options: RouteOptions, place: Place) -> Route:
    """A WebSocket route of options that are checked."""
    route = Route.__new__(Route)
    route.place, route.path, route.methods = place, checked_path(path), (WEBSOCKET,)
    route.options, route.handler = options, checked_handler(handler)
    return route


def is_response(handler: object) -> TypeGuard[Response[Any]]:
    """Whether it is a Response; without importing what one is, since nobody can have one without that."""
    module = sys.modules.get("kingpost.http.response")
    return module is not None and isinstance(handler, module.Response)


class RouteGroup(ABC):
    """Routes that are included together, under one prefix and one name; Blueprint is one."""

    name: str
    prefix: str

    @abstractmethod
    def __routes__(self) -> Registry:
        """What was registered on it."""

    def __start__(self, mode: Mode) -> None:
        """An App that includes it is compiled for a mode: time for what is to be done once."""
        self.__routes__().start(mode)


class Include:
    """A line of a table of routes that stands for many: a blueprint or another table, under a prefix and a name.

    Example:
        `App(routes=[Route("/", home), Include("/api", api)])`
    """

    __slots__ = ("name", "place", "prefix", "routes")

    def __init__(
        self,
        prefix: str,
        routes: RouteGroup | Sequence[Route | Include],
        /,
        *,
        name: str | None = None,
    ) -> None:
        self.place = Place.of_caller()
        self.prefix = checked_prefix(prefix)
        self.routes = checked_routes(routes)
        self.name = None if name is None else checked_name(name)


class Resource(msgspec.Struct, frozen=True):
    """A class whose methods answer the verbs of one path; made once, when the App starts."""

    path: str
    type: type[Any]
    options: RouteOptions
    place: Place


class ErrorHandler(msgspec.Struct, frozen=True):
    """A function that answers for an exception class or for a status."""

    kind: type[Exception] | int
    function: Handler
    place: Place


REGISTERED: weakref.WeakSet[Any] = weakref.WeakSet()
"""Providers of this process of which no App has learnt yet: what they make is never read from a request, whoever includes them."""


class Provided(msgspec.Struct, frozen=True):
    """A function that was registered as a provider."""

    function: Handler
    scope: Scope
    inline: bool
    async_type: type[Any] | None
    place: Place


Item: TypeAlias = "Route | Include | Resource | Mount | GuestMount"
"""What stands in a registry."""


class Registry(msgspec.Struct):
    """All that was registered on one App or Blueprint, in order."""

    items: list[Item] = msgspec.field(default_factory=list[Any])
    error_handlers: dict[type[Exception] | int, ErrorHandler] = msgspec.field(
        default_factory=dict[type[Exception] | int, ErrorHandler]
    )
    converters: Converters = msgspec.field(default_factory=dict[str, Any])
    providers: list[Provided] = msgspec.field(default_factory=list[Provided])
    layers: list[Layered] = msgspec.field(default_factory=list[Layered])
    """Middleware in the order of registration."""
    before: list[Handler] = msgspec.field(default_factory=list[Handler])
    after: list[Handler] = msgspec.field(default_factory=list[Handler])
    is_closed: bool = False

    @property
    def middleware(self) -> Sequence[Handler]:
        """The first is the outermost."""
        return ordered(self.layers)

    def close(self) -> None:
        """Take no more: an App that serves them was started, and would never learn of them."""
        self.is_closed = True
        for item in self.items:
            if isinstance(item, Include) and isinstance(item.routes, RouteGroup):
                item.routes.__routes__().close()
            app: Any = getattr(item, "app", None)
            if app is not None:
                app.__routes__().close()

    def start(self, mode: Mode) -> None:
        """Tell every group, however deep it stands, that an App that includes it is compiled for a mode."""
        waiting = [item.routes for item in self.items if isinstance(item, Include)]
        while waiting:
            routes = waiting.pop()
            if isinstance(routes, RouteGroup):
                routes.__start__(mode)
            else:
                waiting.extend(item.routes for item in routes if isinstance(item, Include))

    def check_open(self) -> None:
        """Raises RoutingError `routing.too-late` after `close`."""
        if self.is_closed:
            raise refused(
                "routing.too-late",
                "the App was started, and this would never be served",
                "register it before",
            )


class Mark(msgspec.Struct, frozen=True):
    """What `@route` leaves on a method of a resource."""

    path: str
    methods: tuple[str, ...] | None
    options: RouteOptions


def route(
    path: str, /, *, methods: Sequence[str] | None = None, **options: Unpack[RouteOptions]
) -> Callable[[F], F]:
    """Mark a method of a resource class: it answers `path` below the path of the resource.

    Args:
        path: what follows the resource's own path, such as `"/{id:int}"`; `""` for the very same.
        methods: upper-case; if not said, the verb that the method is called by, else GET.
        options: as of any route.
    """
    checked = None if methods is None else checked_methods(methods)
    mark = Mark(checked_path(path), checked, check_options(options))

    def decorate(function: F) -> F:
        setattr(checked_handler(function), MARK, mark)
        return function

    return decorate


def checked_path(path: object) -> str:
    if not isinstance(path, str):
        remedy = 'give the path in parentheses: @app.get("/")' if callable(path) else ""
        raise refused("routing.bad-pattern", f"a path is a str, not {path!r}", remedy)
    if path and not path.startswith("/"):
        raise refused(
            "routing.bad-pattern",
            f"the path {path!r} is not a pattern: a path begins with '/'",
            f"write '/{path}'",
        )
    return path


def checked_handler(handler: object) -> Handler:
    if isinstance(handler, type):
        raise refused(
            "routing.not-a-handler",
            f"{handler.__name__} is a class, not a function",
            "register it with @app.resource(path)",
        )
    if not callable(handler):
        raise refused("routing.not-a-handler", f"a handler is a function, not {handler!r}")
    return handler


def checked_methods(methods: Sequence[str]) -> tuple[str, ...]:
    if isinstance(methods, str) or not methods:
        raise bad_method(f"methods is a list such as ['GET', 'POST'], not {methods!r}")
    for method in methods:
        if not METHOD.fullmatch(method):
            raise bad_method(f"{method!r} is no method; methods are upper-case, such as 'GET'")
        if method in ("CONNECT", "TRACE"):
            raise bad_method(f"{method} is never answered by a route")
        if method == WEBSOCKET:
            raise refused(
                "routing.bad-method",
                "WEBSOCKET is no method, and the table keeps it for WebSocket routes",
                "write @app.websocket(path), or Route.websocket(path, handler)",
            )
    return tuple(dict.fromkeys(methods))


def bad_method(message: str) -> RoutingError:
    return refused("routing.bad-method", message)


def checked_prefix(prefix: str) -> str:
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise refused(
            "routing.bad-prefix",
            f"the prefix {prefix!r} must begin with '/' and not end with one",
            "write it as '/api'",
        )
    return prefix


def checked_name(name: str) -> str:
    if not re.fullmatch(r"[\w-]+", name):
        raise refused(
            "routing.bad-name",
            f"the name {name!r} must be made of letters, digits, '_' and '-'; dots join names",
        )
    return name


def checked_routes(routes: object) -> RouteGroup | tuple[Route | Include, ...]:
    if isinstance(routes, RouteGroup):
        return routes
    if isinstance(routes, Sequence) and not isinstance(routes, str):
        lines: list[Route | Include] = []
        for line in routes:  # pyright: ignore[reportUnknownVariableType] - what a caller without a checker gave
            if not isinstance(line, Route | Include):
                raise not_included(line)  # pyright: ignore[reportUnknownArgumentType] - the same
            lines.append(line)
        return tuple(lines)
    raise not_included(routes)


def not_included(what: object) -> RoutingError:
    # An App; its class stands above this module.
    is_app = callable(getattr(what, "mount", None))
    return refused(
        "routing.not-included",
        f"a Blueprint or a list of Route and Include is included, not {what!r}",
        'an App is mounted: app.mount("/shop", other)' if is_app else "",
    )
