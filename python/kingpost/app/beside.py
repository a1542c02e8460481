"""What is called beside the routes of an App: around requests that no route answers, for pages that no handler returns, and to learn how it is.

Rule: an override of a test reaches it as it reaches routes, so all of it can be compiled anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost import _native
from kingpost.app.answers import DYNAMIC
from kingpost.app.calls import Call
from kingpost.app.dispatch import AppDispatch
from kingpost.app.errands import Errand, collecting, compile_errand
from kingpost.app.extensions import Extensions, Metric
from kingpost.app.mounting import AroundMisses, Site, Sites
from kingpost.app.rendering import Rendering, boxed, check_given, unboxed
from kingpost.app.served import serve, visible
from kingpost.binding.offer import Offer
from kingpost.binding.signature import EMPTY, signature_of
from kingpost.http.request import Request
from kingpost.injection.lookup import Overrides
from kingpost.routing.route import Provided
from kingpost.routing.table import Entry, Mounted
from kingpost.routing.table import Scope as TableScope
from kingpost.settings import Settings
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.app.compiled import Problems


class CompiledBeside(msgspec.Struct, frozen=True):
    """What is called beside the routes, ready to be called.

    Attributes:
        context: functions of the templates' context, for pages that no handler returns: by what renders those pages, and by their name.
        health: asks whether the App can do its work, by name.
        metrics: asks for numbers, by name.
        misses: runs around requests that no route answers: of the outermost App, and of those mounted in it, by where they stand.
    """

    context: Sequence[tuple[Rendering, str, Callable[[Request], Awaitable[Any]]]]
    health: Mapping[str, Errand]
    metrics: Mapping[str, tuple[Metric, Errand]]
    misses: Mapping[tuple[object, ...] | None, AroundMisses | None]

    def give(self, dispatch: AppDispatch) -> None:
        """Have it called from now on."""
        for rendering, key, call in self.context:
            rendering.apart[key] = call
        dispatch.health, dispatch.metrics = self.health, self.metrics
        dispatch.around_misses = self.misses[None]
        dispatch.mounted = [
            msgspec.structs.replace(each, around=self.misses[each.mounted.key])
            for each in dispatch.mounted
        ]


class BesideRoutes(msgspec.Struct, frozen=True):
    """What is to be called beside the routes of an App and of those mounted in it. Of two of one name the outer App's is called.

    Attributes:
        extensions: of the outermost App.
        own: what its routes take from it.
        mounted: the others.
    """

    extensions: Extensions
    own: TableScope
    mounted: Sequence[Mounted]

    def compile(
        self, sites: Sites, overrides: Overrides | None, problems: Problems
    ) -> CompiledBeside:
        """Make it ready to be called.

        Args:
            sites: what belongs to each App.
            overrides: what takes the place of providers.
            problems: told of what cannot work.
        """
        context: list[tuple[Rendering, str, Callable[[Request], Awaitable[Any]]]] = []
        health: dict[str, Errand] = {}
        metrics: dict[str, tuple[Metric, Errand]] = {}
        inner = [
            (site.app.extensions, site, levels)
            for site, levels in inner_sites(self.mounted, sites)
            if site.app is not None
        ]
        for added, site, levels in (
            (self.extensions, sites.of(self.own), self.own.providers),
            *inner,
        ):
            rendering = site.around.rendering
            for key, claim in added.__context__().items():
                call = problems.without(
                    partial(compile_context, key, claim.function, levels, site, overrides)
                )
                if call is not None and rendering is not None:
                    context.append((rendering, key, call))
            probe = partial(compile_probe, levels, site, overrides)
            for key, claim in added.__health__().items():
                made = problems.without(partial(probe, claim.function))
                if made is not None:
                    health.setdefault(key, made)
            for key, metric in added.__metrics__().items():
                made = problems.without(partial(probe, metric.claim.function))
                if made is not None:
                    metrics.setdefault(key, (metric, made))
        places: dict[tuple[object, ...] | None, TableScope] = {None: self.own}
        places |= {each.key: scope_inside(each) for each in self.mounted}
        misses = {
            key: problems.without(partial(around_misses, scope, sites, overrides))
            for key, scope in places.items()
        }
        return CompiledBeside(context, health, metrics, misses)


def compile_context(
    key: str,
    function: Callable[..., Any],
    levels: Sequence[Sequence[Provided]],
    site: Site,
    overrides: Overrides | None,
) -> Callable[[Request], Awaitable[Any]]:
    """A function of the templates' context, to be called where no route does it.

    Raises:
        ConfigurationError: one of its parameters cannot be served.
    """
    around = site.around
    signature = msgspec.structs.replace(signature_of(function), returns=str)
    is_async = inspect.iscoroutinefunction(function)
    scope = TableScope(providers=tuple(levels))
    entry = Entry("/", ("GET",), function, {}, key, signature.place, scope)
    served = serve(
        entry,
        Call(boxed(function), "async" if is_async else "thread", ""),
        signature=signature,
        offer=Offer({}, ("GET",), site.constants, Settings),
        index=None,
        around=around,
        overrides=overrides,
    )
    check_given(signature, served.binding.arguments)
    around.lasting.make_late(served.reads.arguments)

    def call(request: Request) -> Awaitable[Any]:
        if served.program is None:
            args, named = served.binding.slow(request)
            made = partial(served.function, *args, **named)
        else:
            made = partial(served.function, request)
        if served.kind == "async":
            return unboxed(made)
        # Aside: the error handler or hook whose page it is may hold what all worker threads wait for.
        return unboxed(partial(around.threads.aside, made))

    return call


def compile_probe(
    levels: Sequence[Sequence[Provided]],
    site: Site,
    overrides: Overrides | None,
    function: Callable[..., Any],
) -> Errand:
    """A function that is asked for something while the App is served, without a request of its own.

    Raises:
        SignatureError: it asks for what is there during a request only.
    """
    signature = signature_of(function)
    return compile_errand(
        collecting(function),
        signature,
        signature.parameters,
        "it is asked without a request",
        lookup=visible(levels, overrides),
        constants=site.constants,
        threads=site.around.threads,
        lasting=site.around.lasting,
    )


def around_misses(
    scope: TableScope, sites: Sites, overrides: Overrides | None
) -> Callable[[Request, tuple[str, ...] | None], Awaitable[_native.Answer]] | None:
    """What runs around requests that no route answers: the App's own middleware and hooks; None where there are none.

    Raises:
        ConfigurationError: a hook asks for what such a request has not.
    """
    if not (scope.middleware or scope.before or scope.after):
        return None
    site = sites.of(scope)
    constants, around = site.constants, site.around
    allowed: ContextVar[tuple[str, ...] | None] = ContextVar("kingpost.allowed")

    def missed(request: Request) -> _native.Answer:
        return around.dispatch.missed(request, allowed.get())

    scope = msgspec.structs.replace(scope, hosts=(), when=())
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

    around.lasting.make_late(served.reads.arguments)

    async def answer(request: Request, methods: tuple[str, ...] | None) -> _native.Answer:
        allowed.set(methods)
        if served.kind == "async":
            value = await served.function(request)
        else:
            value = await around.threads.call(partial(served.function, request))
        return value if isinstance(value, _native.Answer) else DYNAMIC.answer(value)

    return answer


def inner_sites(
    mounted: Sequence[Mounted], sites: Sites
) -> Iterator[tuple[Site, Sequence[Sequence[Provided]]]]:
    """Each mounted App once, however often it is mounted, the outer ones first; with the providers that it sees."""
    known: set[int] = set()
    for each in reversed(mounted):
        if id(each.mount.app) not in known:
            known.add(id(each.mount.app))
            yield sites.of(scope_inside(each)), each.scope.providers


def scope_inside(mounted: Mounted) -> TableScope:
    return msgspec.structs.replace(mounted.scope, mounts=(*mounted.scope.mounts, mounted))
