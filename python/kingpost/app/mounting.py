"""Mounted Apps: each has its own settings, names, templates and `current_app()`; threads and what lasts are shared."""

from __future__ import annotations

import copy
from collections import ChainMap
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from kingpost._native import Answer
from kingpost.app.around import Around
from kingpost.http.request import Request
from kingpost.routing.hosts import check_hosts
from kingpost.routing.mount import Mount
from kingpost.routing.pattern import parse_pattern
from kingpost.routing.reverse import Urls
from kingpost.routing.table import Entry, Mounted, Scope
from kingpost.types import Mode

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.error_handlers import Chain
    from kingpost.app.plan import CompiledRoute

Constants = Mapping[type[Any], Any]
AroundMisses = Callable[[Request, tuple[str, ...] | None], Awaitable[Answer]]


class Site(msgspec.Struct, frozen=True):
    """What the routes of one App take from it.

    Attributes:
        app: None for the outermost.
        constants: its settings and the like; behind them those of the Apps around it.
        around: what its programs need.
    """

    app: App | None
    constants: Constants
    around: Around


class Sites:
    """An App and those that are mounted in it, however deep."""

    def __init__(self, constants: Constants, around: Around, mode: Mode) -> None:
        self._main = Site(None, constants, around)
        self._mode: Mode = mode
        self._mounted: dict[int, Site] = {}
        self._around: Mapping[int, Around] = {}

    def of(self, scope: Scope) -> Site:
        """The App that a route belongs to."""
        site = self._main
        for each in scope.mounts:
            site = self._inner(each.mount, site)
        return site

    @property
    def mounted(self) -> Sequence[Site]:
        return list(self._mounted.values())

    def renewed(self, constants: Constants) -> Sites:
        """The same with the constants that there are now, for tests that put something in the place of a provider or of settings."""
        fresh = Sites(constants, self._main.around, self._mode)
        fresh._around = {key: site.around for key, site in self._mounted.items()}
        return fresh

    def _inner(self, mount: Mount, outer: Site) -> Site:
        known = self._mounted.get(id(mount.app))
        if known is None:
            app = cast("App", mount.app)
            own = app.__constants__(self._mode)
            around = self._around.get(id(app)) or around_inside(app, outer.around)
            known = Site(
                app,
                cast("Constants", ChainMap(cast("Any", own), cast("Any", outer.constants))),
                around,
            )
            self._mounted[id(mount.app)] = known
        return known


def around_inside(app: App, outer: Around) -> Around:
    """What the programs of a mounted App need: threads and what lasts are shared, templates and codecs are its own."""
    around = copy.copy(outer)
    if around.rendering is not None:
        around.rendering = app.__rendering__(around.threads)
    around.codecs = {**around.codecs, **app.extensions.__codecs__()}
    return around


class Answering(msgspec.Struct, frozen=True):
    """A mounted App, for requests that no route answers, and for names.

    Attributes:
        mounted: where it stands.
        urls: the names of its routes, as it calls them itself.
        around: its middleware and hooks, inside of those around it; None where there are none.
        errors: its error handlers, and behind them those around it.
    """

    mounted: Mounted
    urls: Urls
    around: AroundMisses | None = None
    errors: Chain = ()

    def has(self, path: str, host: str) -> bool:
        """Whether a path of a host, in lower case and without port, is below its prefix."""
        scope = self.mounted.scope
        if scope.hosts and not any(
            each.match(host) is not None for each in check_hosts(scope.hosts)
        ):
            return False
        return path == scope.prefix or path.startswith(f"{scope.prefix}/")


def all_mounted(entries: Iterable[Entry]) -> list[Mounted]:
    """Every mounted App that has a route, the innermost first."""
    found = {each.key: each for entry in entries for each in entry.scope.mounts}
    return sorted(
        found.values(), key=lambda each: (-len(each.scope.mounts), -len(each.scope.prefix))
    )


def add_tree(urls: Urls, route: CompiledRoute) -> None:
    """Where the tree stands that a route is a view of, if it is one of any."""
    view = route.conditions.walks
    if view is not None:
        text = route.path.partition("/{traversed:path}")[0]
        urls.add_tree(view.site, parse_pattern(text or "/"))


def is_in(entry: Entry, mounted: Mounted) -> bool:
    return any(each.key == mounted.key for each in entry.scope.mounts)


def own_names(mounted: Mounted, routes: Iterable[CompiledRoute]) -> Urls:
    """The names of a mounted App's routes, without what comes before them from outside.

    Raises:
        RoutingError: `routing.name-taken`.
    """
    urls = Urls()
    start = len(mounted.scope.names)
    for route in routes:
        if not is_in(route.entry, mounted):
            continue
        add_tree(urls, route)
        if route.entry.name is not None:
            urls.add(".".join(route.entry.name.split(".")[start:]), route.target)
    return urls


def inside(app: App, function: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
    """A function that is called while `current_app()` is the mounted App."""
    enter = app.__enter_context__

    async def call(*args: Any, **named: Any) -> Any:
        enter()
        return await function(*args, **named)

    def call_here(*args: Any, **named: Any) -> Any:
        enter()
        return function(*args, **named)

    return call if is_async else call_here
