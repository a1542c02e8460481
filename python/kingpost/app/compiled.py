"""An App, compiled for one mode: everything that a server needs, decided before the first request."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Context, ContextVar
from functools import partial
from typing import Any, TypeVar

import msgspec

from kingpost import _native
from kingpost.app.answers import DYNAMIC
from kingpost.app.around import Around
from kingpost.app.calls import Call
from kingpost.app.dispatch import AppDispatch
from kingpost.app.encoding import Encoding, encoding_of
from kingpost.app.explain import explain_request
from kingpost.app.failures import check_error_handler
from kingpost.app.lasting import lifespan_context
from kingpost.app.plan import CompiledRoute, compile_route
from kingpost.app.running import CallInThread
from kingpost.app.served import check_providers, serve, visible
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument
from kingpost.binding.signature import EMPTY, signature_of
from kingpost.binding.sources import FromProvider
from kingpost.errors import ConfigurationError, RoutingError
from kingpost.http.request import Request
from kingpost.injection.graph import Graph, check_lasting
from kingpost.injection.lookup import Overrides
from kingpost.routing.reverse import Urls
from kingpost.routing.route import ErrorHandler, Registry
from kingpost.routing.table import Entry, ErrorHandlers, flatten
from kingpost.routing.table import Scope as TableScope
from kingpost.settings import Settings
from kingpost.types import Mode, Place

T = TypeVar("T")


class CompiledApp(msgspec.Struct, frozen=True, weakref=True):
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
    around: Around
    lifespans: tuple[Lifespan, ...] = ()

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start-up on entering, clean-up on leaving, the last first; both in one task."""
        around = self.around
        async with AsyncExitStack() as stack:
            around.background.start()
            await around.lasting.start(stack, around.threads)
            for each in self.lifespans:
                positional, named = around.lasting.arguments(each.arguments)
                call = partial(each.function, *positional, **named)
                await stack.enter_async_context(lifespan_context(each.function, call))
            yield

    def attach(self, call: CallInThread | None) -> None:
        """Told by the server how to run a function on a worker thread; None when its threads end."""
        self.around.threads.attach(call)

    async def idle(self) -> None:
        """Returns when nothing that a request left behind runs any more."""
        await self.around.background.idle()

    def recompile(self, constants: Mapping[type[Any], Any], overrides: Overrides) -> None:
        """Serve the same routes with other providers, from the next request on. In mode "test" only.

        Raises:
            ConfigurationError: what takes a provider's place cannot work.
        """
        entries = [route.entry for route in self.routes]
        fresh = compile_entries(entries, constants, self.around, overrides)
        for route, other in zip(self.routes, fresh, strict=True):
            route.served.take(other.served)

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
    registry: Registry,
    constants: Mapping[type[Any], Any],
    around: Around | None = None,
    overrides: Overrides | None = None,
) -> tuple[CompiledRoute, ...]:
    """Every route of an App, compiled.

    Raises:
        ConfigurationError: something that was registered cannot work. Where there are several such, the first is raised, and the others
            are its notes.
    """
    entries = flatten(registry, lambda kind: make_resource(kind, constants))
    return compile_entries(entries, constants, around or Around(), overrides)


def compile_entries(
    entries: Sequence[Entry],
    constants: Mapping[type[Any], Any],
    around: Around,
    overrides: Overrides | None,
) -> tuple[CompiledRoute, ...]:
    """As `compile_routes`, of entries that were flattened before.

    Raises:
        ConfigurationError: as `compile_routes`.
    """
    problems = Problems()
    # A class that any provider makes is never read from a request, so all of them are known before the first route is looked at.
    for level in {
        id(level): level for entry in entries for level in entry.scope.providers
    }.values():
        problems.without(partial(check_providers, level))
    problems.raise_first()
    found = [
        problems.without(partial(compile_route, number, entry, constants, around, overrides))
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
    lifespans: Sequence[Callable[..., Any]] = (),
    overrides: Overrides | None = None,
) -> CompiledApp:
    """Compile what was registered on an App.

    Raises:
        ConfigurationError: as `compile_routes`; for two routes that answer the same, or have one name; for error handlers that cannot be
            called.
    """
    around = Around()
    routes = compile_routes(registry, constants, around, overrides)
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
    around.attach(dispatch)
    dispatch.around_misses = around_misses(registry, constants, around, overrides)
    plans = tuple(route.native_plan(mode) for route in routes)
    contexts = tuple(
        compile_lifespan(each, registry, constants, around, overrides) for each in lifespans
    )
    return CompiledApp(mode, routes, router, plans, dispatch, context, around, contexts)


class Lifespan(msgspec.Struct, frozen=True):
    """A function whose context lasts from start to stop, and what it is called with."""

    function: Callable[..., Any]
    arguments: tuple[Argument, ...]


def compile_lifespan(
    function: Callable[..., Any],
    registry: Registry,
    constants: Mapping[type[Any], Any],
    around: Around,
    overrides: Overrides | None,
) -> Lifespan:
    """A lifespan with what it asks for: the App's settings, and what providers of scope "app" make.

    Raises:
        SignatureError: `injection.scope` where it asks for something of a request.
    """
    signature = signature_of(function)
    offer = Offer({}, ("GET",), constants, Settings)
    graph = Graph(visible((registry.providers,), overrides), offer)
    arguments = graph.arguments_of(signature)
    check_lasting(signature, arguments, "it runs once, at start")
    for argument in arguments:
        if isinstance(argument.source, FromProvider):
            around.lasting.slot(argument.source.node)
    return Lifespan(function, arguments)


def around_misses(
    registry: Registry,
    constants: Mapping[type[Any], Any],
    around: Around,
    overrides: Overrides | None,
) -> Callable[[Request, tuple[str, ...] | None], Awaitable[_native.Answer]] | None:
    """What runs around requests that no route answers: the App's own middleware and hooks; None where there are none.

    Raises:
        ConfigurationError: a hook asks for what such a request has not.
    """
    if not (registry.middleware or registry.before or registry.after):
        return None
    allowed: ContextVar[tuple[str, ...] | None] = ContextVar("kingpost.allowed")

    def missed(request: Request) -> _native.Answer:
        return around.dispatch.missed(request, allowed.get())

    scope = TableScope(
        providers=(registry.providers,),
        middleware=tuple(registry.middleware),
        before=tuple(registry.before),
        after=tuple(registry.after),
    )
    entry = Entry("/", ("GET",), missed, {"inline": True}, "no route", Place.of(missed), scope)
    signature = msgspec.structs.replace(signature_of(missed), returns=EMPTY)
    served = serve(
        entry,
        Call(missed, "inline", ""),
        signature=signature,
        offer=Offer({}, ("GET",), constants, Settings),
        index=None,
        around=around,
        overrides=overrides,
    )

    async def answer(request: Request, methods: tuple[str, ...] | None) -> _native.Answer:
        allowed.set(methods)
        if served.kind == "async":
            value = await served.function(request)
        else:
            value = await around.threads.call(partial(served.function, request))
        return value if isinstance(value, _native.Answer) else DYNAMIC.answer(value)

    return answer


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
