"""An App, compiled for one mode: everything that a server needs, decided before the first request."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

import msgspec

from kingpost import _native
from kingpost.app.dispatch import AppDispatch
from kingpost.app.encoding import Encoding, encoding_of
from kingpost.app.explain import explain_request
from kingpost.app.failures import check_error_handler
from kingpost.app.plan import CompiledRoute, compile_route
from kingpost.binding.signature import signature_of
from kingpost.errors import ConfigurationError, RoutingError
from kingpost.routing.reverse import Urls
from kingpost.routing.route import ErrorHandler, Registry
from kingpost.routing.table import Entry, ErrorHandlers, flatten
from kingpost.types import Mode, Place

T = TypeVar("T")


class CompiledApp(msgspec.Struct, frozen=True):
    """What a server serves; made anew for every server.

    Attributes:
        mode: the mode it was compiled for.
        routes: in the order of registration; a route's index is its target in `router` and its plan in `plans`.
        router: the engine's path tree.
        plans: one for each route.
        dispatch: answers what the engine asks.
        context: the context in which `current_app()` is this App.
    """

    mode: Mode
    routes: tuple[CompiledRoute, ...]
    router: _native.Router
    plans: tuple[_native.Plan, ...]
    dispatch: AppDispatch
    context: Context

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start-up on entering, clean-up on leaving; both in one task."""
        yield

    async def idle(self) -> None:
        """Returns when nothing that a request left behind runs any more."""

    def explain(self, path: str, method: str = "GET") -> str:
        """What happens on a request, for `kingpost routes explain`."""
        return explain_request(self.router, self.routes, path, method)


class Problems:
    """Collects what is wrong, so that a person mends all of it at once."""

    def __init__(self) -> None:
        self._found: list[ConfigurationError] = []

    def without(self, make: Callable[[], T]) -> T | None:
        """What `make` makes, or None where that is refused."""
        try:
            return make()
        except ConfigurationError as error:
            self._found.append(error)
            return None

    def raise_first(self) -> None:
        """Raise the first problem; the others are its notes."""
        if not self._found:
            return
        first, *others = self._found
        for number, other in enumerate(others, 2):
            first.add_note(f"\nproblem {number} of {len(self._found)}: {other}")
        raise first


def compile_routes(
    registry: Registry, constants: Mapping[type[Any], Any]
) -> tuple[CompiledRoute, ...]:
    """Every route of an App, compiled.

    Raises:
        ConfigurationError: something that was registered cannot work. Where there are several such, the first is raised, and the others
            are its notes.
    """
    problems = Problems()
    entries = flatten(registry, lambda kind: make_resource(kind, constants))
    found = [
        problems.without(partial(compile_route, number, entry, constants))
        for number, entry in enumerate(entries)
    ]
    problems.raise_first()
    return tuple(route for route in found if route is not None)


def named(routes: Iterable[CompiledRoute]) -> Urls:
    """The names of routes.

    Raises:
        RoutingError: `routing.name-taken` where two have one.
    """
    urls = Urls()
    for route in routes:
        if route.entry.name is not None:
            urls.add(route.entry.name, route.target)
    return urls


def compile_registry(
    registry: Registry,
    constants: Mapping[type[Any], Any],
    *,
    hosts: Sequence[str],
    mode: Mode,
    context: Context,
) -> CompiledApp:
    """Compile what was registered on an App.

    Raises:
        ConfigurationError: as `compile_routes`; for two routes that answer the same, or have one name; for error handlers that cannot be
            called.
    """
    routes = compile_routes(registry, constants)
    problems, router = Problems(), _native.Router()
    for route in routes:
        problems.without(partial(add_to_router, router, route))
    urls = problems.without(lambda: named(routes)) or Urls()
    returns = (
        problems.without(lambda: error_encodings(registry, [route.entry for route in routes])) or {}
    )
    problems.raise_first()
    dispatch = AppDispatch(
        mode=mode,
        routes=routes,
        router=router,
        urls=urls,
        error_handlers=registry.error_handlers,
        error_returns=returns,
        hosts=hosts,
    )
    plans = tuple(route.native_plan(mode) for route in routes)
    return CompiledApp(mode, routes, router, plans, dispatch, context)


def add_to_router(router: _native.Router, route: CompiledRoute) -> None:
    try:
        router.add(route.native_pattern, list(route.methods), route.index, route.entry.source)
    except _native.RouteConflict as error:
        raise RoutingError(str(error), code="routing.conflict") from error
    except ValueError as error:
        places = (route.place, *route.entry.scope.includes)
        raise RoutingError(
            f"the path {route.path!r}: {error}", code="routing.bad-pattern", places=places
        ) from error


def error_encodings(registry: Registry, entries: Iterable[Entry]) -> dict[int, Encoding]:
    """The encodings of all error handlers, by the id of the handler."""
    chains: list[ErrorHandlers] = [registry.error_handlers]
    for entry in entries:
        chains.extend(entry.scope.error_handlers)
    handlers: dict[int, ErrorHandler] = {
        id(handler): handler for chain in chains for handler in chain.values()
    }
    return {key: encoding_of(check_error_handler(handler)) for key, handler in handlers.items()}


def make_resource(kind: type[Any], constants: Mapping[type[Any], Any]) -> object:
    """The one object of a resource class; its `__init__` may ask for the App's settings.

    Raises:
        SignatureError: `binding.resource-init` where it asks for anything else.
    """
    if kind.__init__ is object.__init__:
        return kind()
    arguments: dict[str, Any] = {}
    signature = signature_of(kind.__init__)
    for parameter in signature.parameters[1:]:
        if parameter.annotation in constants:
            arguments[parameter.name] = constants[parameter.annotation]
        elif parameter.default is inspect.Parameter.empty and parameter.kind not in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            raise signature.refused(
                "binding.resource-init",
                f"{kind.__name__} is made once, at start, and nothing says what {parameter.name} is",
                "give it a default",
                "ask for the App's settings class",
                places=[Place.of(kind)],
            )
    return kind(**arguments)
