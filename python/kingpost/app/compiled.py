"""An App, compiled for one mode: everything that a server needs, decided before the first request."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncGenerator,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

import msgspec

from kingpost import _native
from kingpost.app.around import Around
from kingpost.app.beside import BesideRoutes, inner_sites, scope_inside
from kingpost.app.choosing import Choices
from kingpost.app.crossing import CallInThread
from kingpost.app.dispatch import AppDispatch
from kingpost.app.error_handlers import ErrorChains
from kingpost.app.explain import explain_request
from kingpost.app.extensions import Extensions
from kingpost.app.formats import functions_of, with_extensions
from kingpost.app.grouping import choose
from kingpost.app.guests import Guests
from kingpost.app.lasting import lifespan_context
from kingpost.app.mounting import Answering, Sites, add_tree, all_mounted, own_names
from kingpost.app.plan import CompiledRoute, compile_route
from kingpost.app.rendered import may_render
from kingpost.app.rendering import Rendering
from kingpost.app.reporting import Reporters
from kingpost.app.served import check_providers, know_providers, visible
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument
from kingpost.binding.signature import signature_of
from kingpost.binding.sources import FromProvider
from kingpost.errors import ConfigurationError, RoutingError
from kingpost.http.websocket import Messages
from kingpost.injection.graph import Graph, check_lasting
from kingpost.injection.lookup import Overrides
from kingpost.injection.provider import plain
from kingpost.routing.registrar import Registrar
from kingpost.routing.reverse import Urls
from kingpost.routing.route import Provided, Registry
from kingpost.routing.table import Entry, ErrorHandlers, Mounted, flatten, scope_of
from kingpost.routing.table import Scope as TableScope
from kingpost.settings import Settings
from kingpost.types import WEBSOCKET, Mode, Place

T = TypeVar("T")


class CompiledApp(msgspec.Struct, frozen=True, weakref=True):
    """What a server serves; made anew for every server.

    Attributes:
        mode: the mode it was compiled for.
        routes: in the order of registration; a route's index is its target in `router` and its plan in `plans`.
        router: the engine's path tree.
        plans: one for each route, behind them one for each choice between routes that share a path, behind those one for each route that
            does something before the body of a request has come.
        dispatch: answers what the engine asks.
        context: the context in which `current_app()` is this App.
        scope: what its own routes take from the App.
        beside: what is called beside the routes.
        trusted_peers: networks of proxies that its middleware trusts, as address and length of their prefix.
        spared: paths that are answered however much there is to do.
        operations: what is served to those who run the App, where they have a port of their own.
        mounted: applications of others that are mounted in it; their plans are the last ones.
    """

    mode: Mode
    routes: tuple[CompiledRoute, ...]
    router: _native.Router
    plans: tuple[_native.Plan, ...]
    dispatch: AppDispatch
    context: Context
    around: Around
    beside: BesideRoutes
    lifespans: tuple[Lifespan, ...] = ()
    reporters: Reporters | None = None
    sites: Sites = msgspec.field(default_factory=lambda: Sites({}, Around(), "test"))
    scope: TableScope = msgspec.field(default_factory=TableScope)
    trusted_peers: tuple[tuple[str, int], ...] = ()
    spared: tuple[str, ...] = ()
    mounted: Guests = msgspec.field(default_factory=Guests)
    operations: CompiledApp | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Start-up on entering, clean-up on leaving, the last first; both in one task."""
        around = self.around
        async with AsyncExitStack() as stack:
            await around.lasting.start(stack, around.threads)
            for each in self.lifespans:
                positional, named = around.lasting.arguments(each.arguments)
                call = partial(each.function, *positional, **named)
                await stack.enter_async_context(
                    lifespan_context(each.function, call, around.threads)
                )
            stack.push_async_callback(around.connections.close)
            await self.mounted.start(stack)
            yield

    @property
    def guests(self) -> Sequence[tuple[str, int]]:
        """Where applications of others are mounted: the path, and the index of the plan."""
        return self.mounted.places(len(self.plans))

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
        entries, sites = [route.entry for route in self.routes], self.sites.renewed(constants)
        fresh = compile_entries(entries, sites, overrides)
        errors = ErrorChains(sites, overrides)
        errors.compile(self.scope, entries)
        for answerer in errors:
            self.around.lasting.make_late(answerer.arguments)
        problems = Problems()
        beside = self.beside.compile(sites, overrides, problems)
        problems.raise_first()
        for route, other in zip(self.routes, fresh, strict=True):
            self.around.lasting.make_late(other.served.reads.arguments)
            route.served.take(other.served)
        give_error_handlers(self.dispatch, errors, self.scope, self.routes)
        beside.give(self.dispatch)

    def messages_at(self, path: bytes) -> Messages | None:
        """The types of the WebSocket of a path; None where there is none."""
        found = self.router.find(WEBSOCKET, path)
        if not found or not isinstance(found[0], int):
            return None
        if found[0] < len(self.routes):
            return self.routes[found[0]].messages
        choices = self.dispatch.choices
        if choices is None:
            return None
        return choices.choices[found[0] - len(self.routes)].candidates[0].route.messages

    def explain(self, path: str, method: str = "GET") -> str:
        """What happens on a request, for `kingpost routes explain`."""
        return explain_request(self.router, self.routes, path, method, self.dispatch.choices)


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

    def add(self, found: Iterable[ConfigurationError]) -> None:
        self._found.extend(found)

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
    sites: Sites | None = None,
) -> tuple[CompiledRoute, ...]:
    """Every route of an App, compiled.

    Raises:
        ConfigurationError: something that was registered cannot work. Where there are several such, the first is raised, and the others
            are its notes.
    """
    sites = sites or Sites(constants, around or Around(), "test")
    flat = flatten(registry, lambda kind, scope: make_resource(kind, sites.of(scope).constants))
    entries = with_extensions(flat)
    return compile_entries(entries, sites, overrides, own=registry.providers)


def compile_entries(
    entries: Sequence[Entry],
    sites: Sites,
    overrides: Overrides | None,
    own: Sequence[Provided] = (),
) -> tuple[CompiledRoute, ...]:
    """As `compile_routes`, of entries that were flattened before.

    Raises:
        ConfigurationError: as `compile_routes`.
    """
    problems = Problems()
    # A class that any provider makes is never read from a request, so all of them are known before the first route is looked at.
    know_providers()
    levels = (own, *(level for entry in entries for level in entry.scope.providers))
    for level in {id(level): level for level in levels}.values():
        problems.without(partial(check_providers, level))
    problems.raise_first()
    found = [
        problems.without(partial(compile_route, number, entry, sites.of(entry.scope), overrides))
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
        add_tree(urls, route)
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
    extensions: Extensions | None = None,
) -> CompiledApp:
    """Compile what was registered on an App.

    Raises:
        ConfigurationError: as `compile_routes`; for two routes that answer the same, or have one name; for error handlers that cannot be
            called.
    """
    around = Around()
    extensions = extensions or Extensions(registry.check_open)
    rendering = Rendering(extensions.__renderers__(), extensions.__context__(), around.threads)
    around.rendering = rendering
    around.codecs = extensions.__codecs__()
    sites = Sites(constants, around, mode)
    routes = compile_routes(registry, constants, around, overrides, sites)
    problems, router = Problems(), _native.Router()
    direct, choices = problems.without(lambda: choose(routes, router, mode)) or (
        [(route, route.methods) for route in routes if not route.conditions],
        Choices(router, routes),
    )
    for route, methods in direct:
        problems.without(partial(add_to_router, router, route, methods))
    for choice in choices.choices:
        router.add(choice.pattern, list(choice.methods), choice.index, choice.source)
    urls = problems.without(lambda: named(routes)) or Urls()
    own, errors = scope_of(registry), ErrorChains(sites, overrides)
    problems.without(partial(errors.compile, own, [route.entry for route in routes]))
    problems.without(partial(extensions.__compiled__, routes))
    problems.raise_first()
    reporters = Reporters(extensions.__reporters__())
    dispatch = AppDispatch(
        mode=mode,
        routes=routes,
        router=router,
        urls=urls,
        hosts=hosts,
        reporters=reporters,
    )
    for each in (around, *(site.around for site in sites.mounted)):
        each.attach(dispatch)
    mounted = all_mounted(route.entry for route in routes)
    main = [route for route in routes if not route.entry.scope.mounts]
    problems.add(rendering.prepare(mode, urls, rendering_functions(registry, main)))
    attach_mounted(
        dispatch, mounted, routes, sites, mode=mode, reporters=reporters, problems=problems
    )
    give_error_handlers(dispatch, errors, own, routes)
    beside = BesideRoutes(extensions, own, mounted)
    called = beside.compile(sites, overrides, problems)
    problems.raise_first()
    called.give(dispatch)
    dispatch.before_guard = tuple(
        prepare
        for each in registry.middleware
        if (prepare := getattr(each, "__before_guard__", None)) is not None
    )
    choices.attach(dispatch, around.threads)
    if choices.choices:
        dispatch.choices = choices
    plans, dispatch.early_routes = plans_of(routes, choices, mode)
    mounted_guests = Guests.of(registry)
    mounted_guests.prepare(dispatch.before_guard)
    dispatch.measures = extensions.__measures__()
    if dispatch.measures:
        early = [dispatch.early_routes[number].path for number in sorted(dispatch.early_routes)]
        shared_paths = [each.candidates[0].route.path for each in choices.choices]
        guest_paths = [f"{prefix}/*" for prefix, _ in mounted_guests.places(0)]
        own_paths = [route.path for route in routes]
        dispatch.labels = [*own_paths, *shared_paths, *early, *guest_paths]
    contexts = [
        compile_lifespan(each, (registry.providers,), constants, around, overrides)
        for each in lifespans
    ]
    for site, levels in inner_sites(mounted, sites):
        contexts += [
            compile_lifespan(each, levels, site.constants, site.around, overrides)
            for each in (site.app.__lifespans__ if site.app is not None else ())
        ]
    return CompiledApp(
        mode,
        routes,
        router,
        (*plans, *mounted_guests.plans()),
        dispatch,
        context,
        around,
        beside,
        tuple(contexts),
        reporters,
        sites,
        own,
        trusted_peers=tuple(
            peer for each in registry.middleware for peer in getattr(each, "__trusted_peers__", ())
        ),
        spared=tuple(extensions.__spared__()),
        mounted=mounted_guests,
        operations=compile_operations(extensions, mode, constants, context, dispatch),
    )


def compile_operations(
    extensions: Extensions,
    mode: Mode,
    constants: Mapping[type[Any], Any],
    context: Context,
    dispatch: AppDispatch,
) -> CompiledApp | None:
    """What is served to those who run the App, on a port of their own; None where that is nothing."""
    groups = extensions.__operations__()
    if not groups:
        return None
    pages = Registrar()
    for routes, name in groups:
        pages.include(routes, name=name)
    compiled = compile_registry(pages.__routes__(), constants, hosts=(), mode=mode, context=context)
    # It tells of the App, and not of itself.
    compiled.dispatch.health = dispatch.health
    compiled.dispatch.metrics = dispatch.metrics
    return compiled


def plans_of(
    routes: Sequence[CompiledRoute], choices: Choices, mode: Mode
) -> tuple[tuple[_native.Plan, ...], Mapping[int, CompiledRoute]]:
    """All plans, and of which routes those are that serve requests whose body is still to come.

    The others stand before them, in the order of the router's targets.
    """
    targets = len(routes) + len(choices.choices)
    early = [(route, plan) for route in routes if (plan := route.early_plan(mode)) is not None]
    numbers = {route.index: targets + at for at, (route, _) in enumerate(early)}
    plans = (
        *(route.native_plan(mode, early=numbers.get(route.index)) for route in routes),
        *choices.plans(),
        *(plan for _, plan in early),
    )
    return plans, {numbers[route.index]: route for route, _ in early}


def attach_mounted(
    dispatch: AppDispatch,
    mounted: Sequence[Mounted],
    routes: Sequence[CompiledRoute],
    sites: Sites,
    *,
    mode: Mode,
    reporters: Reporters,
    problems: Problems,
) -> None:
    """Tell the dispatch of mounted Apps, and them that they are served."""
    dispatch.mounted = [
        answering
        for each in mounted
        if (answering := problems.without(partial(answering_of, each, routes)))
    ]
    for answering in dispatch.mounted:
        site = sites.of(answering.mounted.scope)
        if site.app is not None:
            problems.add(site.app.__mounted__(answering.urls, mode, site.around, routes, reporters))


def give_error_handlers(
    dispatch: AppDispatch, errors: ErrorChains, own: TableScope, routes: Sequence[CompiledRoute]
) -> None:
    """Tell the dispatch who answers for which errors."""
    dispatch.own_errors = errors.of(own)
    dispatch.error_chains = [errors.of(route.entry.scope) for route in routes]
    dispatch.mounted = [
        msgspec.structs.replace(each, errors=errors.of(each.mounted.scope))
        for each in dispatch.mounted
    ]


def answering_of(mounted: Mounted, routes: Sequence[CompiledRoute]) -> Answering:
    """A mounted App with its own names; what else it needs to answer is given later.

    Raises:
        ConfigurationError: as `own_names`.
    """
    scope = scope_inside(mounted)
    return Answering(msgspec.structs.replace(mounted, scope=scope), own_names(mounted, routes))


class Lifespan(msgspec.Struct, frozen=True):
    """A function whose context lasts from start to stop, and what it is called with."""

    function: Callable[..., Any]
    arguments: tuple[Argument, ...]


def compile_lifespan(
    function: Callable[..., Any],
    providers: Sequence[Sequence[Provided]],
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
    graph = Graph(visible(providers, overrides), offer)
    arguments = graph.arguments_of(signature)
    check_lasting(signature, arguments, "it runs once, at start")
    for argument in arguments:
        if isinstance(argument.source, FromProvider):
            around.lasting.slot(argument.source.node)
    return Lifespan(function, arguments)


def rendering_functions(
    registry: Registry, routes: Iterable[CompiledRoute]
) -> list[Callable[..., Any]]:
    """The functions whose answers may be rendered."""
    chains: list[ErrorHandlers] = [registry.error_handlers]
    functions: list[Callable[..., Any]] = []
    for route in routes:
        chains.extend(route.error_handlers)
        functions += [route.entry.handler, *functions_of(route.entry)]
    functions += [handler.function for chain in chains for handler in chain.values()]
    return [
        each
        for each in dict.fromkeys(functions)
        if may_render(signature_of(each).returns) is not False
    ]


def add_to_router(router: _native.Router, route: CompiledRoute, methods: Sequence[str]) -> None:
    try:
        router.add(route.native_pattern, list(methods), route.index, route.entry.source)
    except _native.RouteConflict as error:
        raise RoutingError(str(error), code="routing.conflict") from error
    except ValueError as error:
        places = (route.place, *route.entry.scope.includes)
        raise RoutingError(
            f"the path {route.path!r}: {error}", code="routing.bad-pattern", places=places
        ) from error


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
        wanted = plain(parameter.annotation)
        if wanted in constants:
            arguments[parameter.name] = constants[wanted]
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
