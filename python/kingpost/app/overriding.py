"""Overrides: what a test puts in the place of what a provider makes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost.errors import ConfigurationError
from kingpost.injection.lookup import matched
from kingpost.injection.provider import Provider, constant_of, plain, provider_of
from kingpost.schema.annotation import spelled
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.application import App
    from kingpost.app.plan import CompiledRoute
    from kingpost.routing.route import Provided


def override(app: App, what: Any, by: Any) -> AbstractContextManager[None]:
    """See `App.override`."""
    gives = provider_of(what).gives if is_function(what) else what
    return overridden(app, what, replacement_of(by, gives), Place.of_caller())


@contextmanager
def overridden(app: App, what: Any, by: Provider, place: Place) -> Generator[None]:
    before = app.__override__(what, by, place)
    try:
        yield
    finally:
        app.__override__(what, before, place)


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
