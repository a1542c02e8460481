"""Overrides: what a test puts in the place of what a provider makes, or of settings."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import msgspec

from kingpost.errors import ConfigurationError, SettingsError
from kingpost.injection.lookup import matched
from kingpost.injection.provider import Provider, constant_of, plain, provider_of
from kingpost.routing.mount import Mount
from kingpost.routing.route import Include, RouteGroup
from kingpost.schema.annotation import spelled
from kingpost.settings import Settings
from kingpost.settings.settings import replaced
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.plan import CompiledRoute
    from kingpost.routing.route import Provided


def override(app: App, what: Any, by: Any) -> AbstractContextManager[None]:
    """See `App.override`."""
    if is_settings(what):
        return overridden_settings(app, what, by, Place.of_caller())
    gives = provider_of(what).gives if is_function(what) else what
    return overridden(app, what, replacement_of(by, gives), Place.of_caller())


@contextmanager
def overridden(app: App, what: Any, by: Provider, place: Place) -> Generator[None]:
    before = app.__override__(what, by, place)
    try:
        yield
    finally:
        app.__override__(what, before, place)


@contextmanager
def overridden_settings(
    app: App, kind: type[Settings], by: object, place: Place
) -> Generator[None]:
    known = list(settings_of(app))
    if kind not in known:
        names = " and ".join(each.__name__ for each in known)
        raise ConfigurationError(
            f"the App's settings are {names}, and not {kind.__name__}, so nothing would see what is put in its place",
            code="injection.nothing-to-override",
            remedy=f"write App(settings={kind.__name__}), or override {names}",
            places=[place],
        )
    if not isinstance(by, kind):
        raise ConfigurationError(
            f"{by!r} cannot stand in for the settings {kind.__name__}: it is no object of that class",
            code="app.bad-settings",
            remedy=f"write app.override({kind.__name__}, {kind.__name__}(…)), with the fields that the test is about",
            places=[place],
        )
    try:
        with replaced(kind, by):
            app.__renew__()
            yield
    finally:
        # Where the real ones cannot be read there is nothing to go back to: the App was never served with them.
        with suppress(SettingsError):
            app.__renew__()


def settings_of(app: App) -> Iterator[type[Settings]]:
    """The settings classes of an App and of those that are mounted in it, however deep."""
    yield app.__settings__ or Settings
    waiting: list[Any] = [*app.__routes__().items]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mount):
            yield from settings_of(cast("App", item.app))
        elif isinstance(item, Include):
            group = item.routes
            waiting += group.__routes__().items if isinstance(group, RouteGroup) else group


def is_settings(thing: object) -> TypeGuard[type[Settings]]:
    return isinstance(thing, type) and issubclass(thing, Settings)


def is_function(thing: object) -> bool:
    """Whether something is a function, and not a class, nor an object that happens to be callable."""
    return isinstance(thing, functools.partial) or inspect.isroutine(thing)


def replacement_of(by: Any, gives: Any) -> Provider:
    if isinstance(by, type) or is_function(by):
        provider = provider_of(by)
        return msgspec.structs.replace(provider, gives=plain(gives))
    return constant_of(gives, by)


def check_something(
    what: Any, routes: Sequence[CompiledRoute], own: Sequence[Provided], place: Place
) -> None:
    """Refuses what nobody makes: a test that puts nothing in no place proves nothing.

    Args:
        what: as given to `override`.
        routes: of the App; what they depend on need not be registered.
        own: the App's providers, which an error handler, a command or a lifespan may ask for as well.
        place: of the override.

    Raises:
        ConfigurationError: `injection.nothing-to-override`.
    """
    levels = [own, *(level for route in routes for level in route.entry.scope.providers)]
    distinct = {id(level): level for level in levels}.values()
    known = {each.function for level in distinct for each in level}
    nodes = [
        node
        for route in routes
        for node in (*route.served.nodes, *route.served.around.lasting.nodes)
    ]
    for provider in (*(node.provider for node in nodes), *map(provider_of, known)):
        if provider.function is what or matched(provider.gives, plain(what)) is not None:
            return
    name = getattr(what, "__name__", None) or spelled(what)
    raise ConfigurationError(
        f"nothing in this App makes {name}, so nothing can be put in its place",
        code="injection.nothing-to-override",
        remedy="give the type that a provider returns, or the provider's function",
        places=[place],
    )
