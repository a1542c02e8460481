"""The decorators and calls that register routes: the same on App and on Blueprint."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, Unpack, overload

from kingpost.errors import HTTPError
from kingpost.routing.options import (
    RouteOptions,
    WebSocketOptions,
    check_options,
    check_websocket_options,
    several,
)
from kingpost.routing.ordering import Layered
from kingpost.routing.refusal import refused
from kingpost.routing.route import (
    REGISTERED,
    ErrorHandler,
    F,
    Handler,
    Include,
    Item,
    Provided,
    Registry,
    Resource,
    Route,
    RouteGroup,
    checked_handler,
    checked_path,
    websocket_route,
)
from kingpost.types import Place, Scope

if TYPE_CHECKING:
    from kingpost.http.request import Request
    from kingpost.http.response import Response

T = TypeVar("T")
E = TypeVar("E", bound=Exception)
P = ParamSpec("P")


class Registrar:
    """What App and Blueprint have in common."""

    def __init__(self) -> None:
        self._registry = Registry()

    def __routes__(self) -> Registry:
        return self._registry

    def get(self, path: str, /, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer GET (and HEAD) on `path` by the decorated function, which stays as it was."""
        return self._decorator(path, ("GET",), options)

    def post(self, path: str, /, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer POST on `path` by the decorated function."""
        return self._decorator(path, ("POST",), options)

    def put(self, path: str, /, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer PUT on `path` by the decorated function."""
        return self._decorator(path, ("PUT",), options)

    def patch(self, path: str, /, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer PATCH on `path` by the decorated function."""
        return self._decorator(path, ("PATCH",), options)

    def delete(self, path: str, /, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answer DELETE on `path` by the decorated function."""
        return self._decorator(path, ("DELETE",), options)

    def route(
        self, path: str, /, *, methods: Sequence[str] = ("GET",), **options: Unpack[RouteOptions]
    ) -> Callable[[F], F]:
        """Answer several methods, or an unusual one, on `path` by the decorated function.

        Args:
            path: the pattern, such as `"/todos/{id:int}"`.
            methods: upper-case, such as `["GET", "POST"]`.
            options: see RouteOptions.
        """
        return self._decorator(path, methods, options)

    def websocket(self, path: str, /, **options: Unpack[WebSocketOptions]) -> Callable[[F], F]:
        """Answer WebSockets on `path` by the decorated `async def`, which takes a WebSocket and stays as it was.

        Args:
            path: the pattern, such as `"/rooms/{room}"`.
            options: see WebSocketOptions.
        """
        place, checked = Place.of_caller(), check_websocket_options(options)
        checked_path(path)

        def decorate(function: F) -> F:
            self._add(websocket_route(path, function, checked, place))
            return function

        return decorate

    def add_route(
        self,
        path: str,
        handler: Handler | Response[Any],
        /,
        *,
        methods: Sequence[str] = ("GET",),
        **options: Unpack[RouteOptions],
    ) -> None:
        """Answer `methods` on `path` by `handler`: what `route` does, for a function that cannot be decorated.

        A Response in place of the function is the answer to every request; no Python runs for it.
        """
        self._add(Route(path, handler, methods=methods, **options))

    def resource(
        self, path: str, /, **options: Unpack[RouteOptions]
    ) -> Callable[[type[T]], type[T]]:
        """Answer `path` by the methods of the decorated class: `get` answers GET, `post` POST, and so on.

        A method marked `@route("/{id:int}")` answers below it. The class is made once, when the App starts.
        """
        place, checked, path = Place.of_caller(), check_options(options), checked_path(path)

        def decorate(kind: type[T]) -> type[T]:
            if not isinstance(kind, type):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a checker
                raise refused(
                    "routing.not-a-resource", f"a resource is a class, not {kind!r}", places=[place]
                )
            self._add(Resource(path, kind, checked, place))
            return kind

        return decorate

    def include(
        self,
        routes: RouteGroup | Sequence[Route | Include],
        /,
        *,
        prefix: str = "",
        name: str | None = None,
    ) -> None:
        """Add the routes of a Blueprint or of a table, below `prefix`.

        Args:
            routes: a Blueprint, or a list of Route and Include.
            prefix: begins with a slash and ends without one, or is empty.
            name: stands before the names of the routes in `url_for`; a Blueprint's own name if not said. The same
                Blueprint may be included several times under different names.
        """
        self._add(Include(prefix, routes, name=name))

    @overload
    def error(
        self, kind: type[E], /
    ) -> Callable[
        [Callable[Concatenate[Request, E, P], T]], Callable[Concatenate[Request, E, P], T]
    ]: ...
    @overload
    def error(
        self, kind: int, /
    ) -> Callable[
        [Callable[Concatenate[Request, HTTPError, P], T]],
        Callable[Concatenate[Request, HTTPError, P], T],
    ]: ...
    def error(self, kind: type[Exception] | int, /) -> Callable[[Any], Any]:
        """Answer by the decorated `f(request, error)` where an exception of a class, or a status, would be the answer.

        The nearest class wins; a blueprint's handlers are asked before the App's. Further parameters are given what providers make, and the
        App's settings, as a handler's are.
        """
        place = Place.of_caller()
        check_error_kind(kind)

        def decorate(function: Handler) -> Handler:
            self._add_error(ErrorHandler(kind, checked_handler(function), place))
            return function

        return decorate

    @overload
    def provide(self, provider: F, /) -> F: ...
    @overload
    def provide(
        self,
        provider: None = None,
        /,
        *,
        scope: Scope = "request",
        inline: bool = False,
        async_type: type[Any] | None = None,
    ) -> Callable[[F], F]: ...
    def provide(
        self,
        provider: Any = None,
        /,
        *,
        scope: Scope = "request",
        inline: bool = False,
        async_type: type[Any] | None = None,
    ) -> Any:
        """Where a handler names the type that the decorated function returns, give it what the function makes.

        Args:
            provider: `def` or `async def`; with `yield` in place of `return`, what follows runs when the response is made: the value of the
                `yield` is the response, an exception of the handler is raised there. Its own parameters are served as a handler's are.
            scope: "request" makes the value once for each request; "connection" once for each connection of a client, on which requests follow
                one another; "app" once, at start.
            inline: a promise that this `def` never blocks; it needs no worker thread then.
            async_type: for a value whose use blocks: the type that an `async def` has to ask for in its place.
        """
        if scope not in ("request", "connection", "app"):
            raise refused(
                "injection.bad-scope",
                f"scope={scope!r} is none",
                "write scope='request', scope='connection' or scope='app'",
            )

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            self._registry.check_open()
            self._registry.providers.append(
                Provided(function, scope, inline, async_type, Place.of_caller())
            )
            with contextlib.suppress(
                TypeError
            ):  # an object without a hash, or that cannot be referred to weakly
                REGISTERED.add(function)
            return function

        return decorate if provider is None else decorate(provider)

    @overload
    def middleware(self, function: F, /, *, under: Any = (), over: Any = ()) -> F: ...
    @overload
    def middleware(
        self, function: None = None, /, *, under: Any = (), over: Any = ()
    ) -> Callable[[F], F]: ...
    def middleware(self, function: Any = None, /, *, under: Any = (), over: Any = ()) -> Any:
        """Run the decorated function around every route; what is registered first is the outermost, unless it says otherwise.

        It takes the request and the rest of it: `async def f(request: Request, call_next: CallNext) -> Response`, or the same as `def`.

        Args:
            function: the middleware.
            under: what must be outside of it, such as `TrustedProxies`: middleware of the same App or Blueprint, its class, or a list of
                such. What is not there is passed over.
            over: what must be inside of it.
        """

        def decorate(function: F) -> F:
            self._registry.check_open()
            self._registry.layers.append(
                Layered(
                    checked_middleware(function), several(under), several(over), Place.of_caller()
                )
            )
            return function

        return decorate if function is None else decorate(function)

    def before_request(self, function: F, /) -> F:
        """Call the decorated function before every handler; what it returns, if that is not None, is the answer."""
        self._registry.check_open()
        self._registry.before.append(checked_handler(function))
        return function

    def after_request(self, function: F, /) -> F:
        """Call the decorated function with the response of every handler; what it returns, if that is not None, takes its place."""
        self._registry.check_open()
        self._registry.after.append(checked_handler(function))
        return function

    def _decorator(
        self, path: str, methods: Sequence[str], options: RouteOptions
    ) -> Callable[[F], F]:
        # Checked now, so that the refusal names the line of the decorator, and not only when it meets its function.
        place, checked = Place.of_caller(), check_options(options)
        checked_path(path)

        def decorate(function: F) -> F:
            route = Route(path, function, methods=methods, **checked)
            route.place = place
            self._add(route)
            return function

        return decorate

    def _add(self, item: Item) -> None:
        self._registry.check_open()
        self._registry.items.append(item)

    def _add_error(self, handler: ErrorHandler) -> None:
        self._registry.check_open()
        earlier = self._registry.error_handlers.get(handler.kind)
        if earlier is not None:
            shown = handler.kind if isinstance(handler.kind, int) else handler.kind.__name__
            places = [earlier.place, handler.place]
            raise refused(
                "routing.error-twice",
                f"two handlers answer for {shown}",
                "keep one of them",
                places=places,
            )
        self._registry.error_handlers[handler.kind] = handler


def checked_middleware(function: F) -> F:
    if isinstance(function, type):
        raise refused(
            "binding.middleware",
            f"{function.__name__} is a class, and middleware is a function, or an object of such a class",
            f"write {function.__name__}(…)",
        )
    checked_handler(function)
    return function


def check_error_kind(kind: object) -> None:
    is_bare = hasattr(kind, "__code__")
    if isinstance(kind, type) and issubclass(kind, Exception):
        return
    if isinstance(kind, int) and not isinstance(kind, bool) and 400 <= kind <= 599:
        return
    raise refused(
        "routing.bad-error-kind",
        f"an error handler is for an Exception class or a status from 400 to 599, not {kind!r}",
        "say which, in parentheses: @app.error(404)" if is_bare else "",
    )
