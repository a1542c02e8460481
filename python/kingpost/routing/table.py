"""From what was registered on an App to one flat list of routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.routing.conditions import ALWAYS, Conditions, conditions_of, predicates_of
from kingpost.routing.converters import BUILT_IN, Converters
from kingpost.routing.mount import GuestMount, Mount
from kingpost.routing.options import RouteOptions, several
from kingpost.routing.refusal import refused
from kingpost.routing.resource import resource_routes
from kingpost.routing.route import (
    ErrorHandler,
    Handler,
    Include,
    Item,
    Provided,
    Registry,
    Resource,
    Route,
    RouteGroup,
)
from kingpost.types import WEBSOCKET, Place

if TYPE_CHECKING:
    from kingpost.routing.predicates import Predicate

ErrorHandlers = Mapping[type[Exception] | int, ErrorHandler]
MakeResource = Callable[[type[Any], "Scope"], object]


class Mounted(msgspec.Struct, frozen=True):
    """Where a mounted App stands, and what its own routes take from there."""

    mount: Mount
    scope: Scope

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from the same App at another place."""
        return self.scope.prefix, self.scope.names, id(self.mount)


class Scope(msgspec.Struct, frozen=True):
    """Where in the tree of includes a route stands; everything that it takes from there."""

    prefix: str = ""
    names: tuple[str, ...] = ()
    error_handlers: tuple[ErrorHandlers, ...] = ()
    """Nearest first: its blueprint's, that one's blueprint's, …, the App's."""
    converters: Converters = msgspec.field(default_factory=lambda: BUILT_IN)
    providers: tuple[Sequence[Provided], ...] = ()
    """Nearest first, as the error handlers."""
    middleware: tuple[Handler, ...] = ()
    """Outermost first: the App's, its blueprints', …; so are the hooks."""
    requires: tuple[Handler, ...] = ()
    """Of the outermost blueprint first."""
    before: tuple[Handler, ...] = ()
    after: tuple[Handler, ...] = ()
    hosts: Sequence[str] = ()
    """The nearest blueprint's that has any."""
    when: tuple[Predicate, ...] = ()
    mounts: tuple[Mounted, ...] = ()
    """The mounted Apps that it stands in, outermost first."""
    includes: tuple[Place, ...] = ()
    inside: tuple[object, ...] = ()
    """The groups and tables around it, to find one that includes itself."""


class Entry(msgspec.Struct, frozen=True):
    """One route of the App, with its whole path and its whole name."""

    path: str
    methods: tuple[str, ...]
    handler: Handler
    options: RouteOptions
    name: str | None
    """Dotted; None for a handler without a usable name, such as a lambda."""
    place: Place
    scope: Scope
    extension: str = ""
    """What stands behind the path to say which of the route's formats is meant; empty where `Accept` says it."""

    @property
    def conditions(self) -> Conditions:
        """What must hold besides method and path."""
        hosts = self.options.get("hosts") or self.scope.hosts
        when = self.options.get("when", ())
        if not (hosts or when or self.scope.when):
            return ALWAYS
        every = (*self.scope.when, *predicates_of(when))
        # Where a tree is walked depends on the whole pattern.
        placed = [
            each if (at := getattr(each, "at", None)) is None else at(self.path) for each in every
        ]
        return conditions_of(hosts, placed)

    @property
    def requires(self) -> tuple[Handler, ...]:
        """What must hold of who asks, the outermost blueprint's first."""
        return (*self.scope.requires, *several(self.options.get("requires", ())))

    @property
    def is_websocket(self) -> bool:
        """Whether it is asked for a WebSocket."""
        return WEBSOCKET in self.methods

    @property
    def source(self) -> str:
        """`todos.py:12`, and the lines that included it."""
        included = "".join(f", included at {place}" for place in self.scope.includes)
        return f"{self.place}{included}"


def flatten(registry: Registry, make: MakeResource) -> list[Entry]:
    """Every route of an App, includes followed and resources made by `make`.

    Raises:
        RoutingError: for includes that go round in circles, empty resources and paths that cannot be joined.
    """
    return list(entries(registry.items, scope_of(registry), make))


def scope_of(registry: Registry) -> Scope:
    """What the routes of an App itself take from it."""
    return Scope(
        error_handlers=(registry.error_handlers,),
        converters={**BUILT_IN, **registry.converters},
        providers=(registry.providers,),
        middleware=tuple(registry.middleware),
        before=tuple(registry.before),
        after=tuple(registry.after),
    )


def entries(items: Sequence[Item], scope: Scope, make: MakeResource) -> Iterator[Entry]:
    for item in items:
        if isinstance(item, Include):
            yield from included(item, scope, make)
        elif isinstance(item, GuestMount):
            # It has no routes that we know of.
            continue
        elif isinstance(item, Mount):
            yield from mounted(item, scope, make)
        elif isinstance(item, Resource):
            for route in resource_routes(item, make(item.type, scope)):
                yield entry(route, scope)
        else:
            yield entry(item, scope)


def guests(items: Sequence[Item], prefix: str = "") -> Iterator[tuple[str, GuestMount]]:
    """The applications of others that are mounted in an App, and in those that are mounted in it, with their whole paths.

    Raises:
        RoutingError: `routing.bad-mount` where one stands in an App that has a host of its own.
    """
    for item in items:
        if isinstance(item, GuestMount):
            yield prefix + item.prefix, item
        elif isinstance(item, Mount):
            inner = list(guests(item.app.__routes__().items, prefix + item.prefix))
            if inner and item.hosts:
                raise refused(
                    "routing.bad-mount",
                    f"{item.app!r} answers for {', '.join(item.hosts)} only, and the application of others that is mounted in it would answer for every host",
                    "mount that one in the outer App",
                    places=[item.place],
                )
            yield from inner


def mounted(mount: Mount, scope: Scope, make: MakeResource) -> Iterator[Entry]:
    """The routes of a mounted App: what it has itself is nearer than what the outer one has."""
    if any(mount.app is outer for outer in scope.inside):
        raise refused(
            "routing.include-circle", f"{mount.app!r} mounts itself", places=[mount.place]
        )
    registry = mount.app.__routes__()
    names = (*scope.names, mount.name) if mount.name else scope.names
    inner = msgspec.structs.replace(
        scope,
        prefix=scope.prefix + mount.prefix,
        names=names,
        error_handlers=(registry.error_handlers, *scope.error_handlers),
        converters={**BUILT_IN, **registry.converters},
        providers=(registry.providers, *scope.providers),
        middleware=(*scope.middleware, *registry.middleware),
        before=(*scope.before, *registry.before),
        after=(*registry.after, *scope.after),
        hosts=mount.hosts or scope.hosts,
        includes=(*scope.includes, mount.place),
        inside=(*scope.inside, mount.app),
    )
    inner = msgspec.structs.replace(inner, mounts=(*scope.mounts, Mounted(mount, inner)))
    yield from entries(registry.items, inner, make)


def included(include: Include, scope: Scope, make: MakeResource) -> Iterator[Entry]:
    group = include.routes
    if any(group is outer for outer in scope.inside):
        raise refused(
            "routing.include-circle", f"{group!r} includes itself", places=[include.place]
        )
    inner = msgspec.structs.replace(
        scope,
        prefix=scope.prefix + include.prefix,
        includes=(*scope.includes, include.place),
        inside=(*scope.inside, group),
    )
    name = include.name
    if isinstance(group, RouteGroup):
        registry = group.__routes__()
        name = name or group.name
        inner = msgspec.structs.replace(
            inner,
            prefix=inner.prefix + group.prefix,
            error_handlers=(registry.error_handlers, *scope.error_handlers),
            converters={**scope.converters, **registry.converters},
            providers=(registry.providers, *scope.providers),
            middleware=(*scope.middleware, *registry.middleware),
            requires=(*scope.requires, *getattr(group, "requires", ())),
            before=(*scope.before, *registry.before),
            # As with middleware, the nearest is the innermost: it sees the response first.
            after=(*registry.after, *scope.after),
            hosts=getattr(group, "hosts", ()) or scope.hosts,
            when=(*scope.when, *getattr(group, "when", ())),
        )
        items: Sequence[Item] = registry.items
    else:
        items = group
    yield from entries(
        items,
        msgspec.structs.replace(inner, names=(*scope.names, name) if name else scope.names),
        make,
    )


def entry(route: Route, scope: Scope) -> Entry:
    path = scope.prefix + route.path
    if not path:
        raise refused(
            "routing.bad-pattern",
            "the path '' stands below no prefix",
            "write '/'",
            places=[route.place],
        )
    own = route.options.get("name") or handler_name(route.handler)
    name = ".".join((*scope.names, own)) if own else None
    return Entry(path, route.methods, route.handler, route.options, name, route.place, scope)


def handler_name(handler: Handler) -> str | None:
    name = getattr(handler, "__name__", "")
    return name if name.isidentifier() else None
