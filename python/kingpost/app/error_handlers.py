"""Error handlers, compiled: what each is given is decided when the App starts, as it is for handlers.

Rule 1: the request and the error come first; the rest is made by providers, or is the App's own. Input is not read a second time: a mistake in
it may be the very error.
Rule 2: what providers make is made anew, for what was made for the handler is finished by then.
Rule 3: an error handler sees the providers of where it was registered and of what is around that, not those of the route that has failed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from kingpost.app.answers import Answers, CallOnThread
from kingpost.app.encoding import Encoding, encoding_of
from kingpost.app.failures import as_http_error, check_error_handler
from kingpost.app.fresh import refuse
from kingpost.app.mounting import Site, Sites
from kingpost.app.program import Function, Parts, compile_program
from kingpost.app.rendering import Rendering
from kingpost.app.served import visible
from kingpost.app.shape import named_at
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument
from kingpost.binding.signature import Signature
from kingpost.binding.sources import Constant, FromProvider, TheError, TheRequest
from kingpost.injection.graph import Graph, check_colours
from kingpost.injection.lookup import Overrides
from kingpost.injection.provider import kind_of
from kingpost.routing.route import ErrorHandler, Provided
from kingpost.routing.table import Entry, Scope
from kingpost.settings import Settings

GIVEN = (TheRequest, Constant, FromProvider)
"""Where further parameters of an error handler may come from."""


class ErrorAnswerer(msgspec.Struct, frozen=True):
    """An error handler, ready to be called.

    Attributes:
        handler: as registered.
        encoding: what its return annotation says.
        function: called with the request and the error.
        is_async: whether its call must be awaited; else it may block.
        rendering: renders what it returns.
        aside: calls a function on a thread: where events that a `def` yields are made.
        arguments: what it is given besides.
    """

    handler: ErrorHandler
    encoding: Encoding
    function: Callable[..., Any]
    is_async: bool
    rendering: Rendering | None
    aside: CallOnThread
    arguments: tuple[Argument, ...] = ()

    def answers(self, status: int) -> Answers:
        """Makes the answers of its values; `status` is that of a plain one."""
        name = getattr(self.handler.function, "__name__", "an error handler")
        return Answers(name, self.handler.place, self.encoding, status, aside=self.aside)


Level: TypeAlias = Mapping[type[Exception] | int, ErrorAnswerer]
Chain: TypeAlias = tuple[Level, ...]
"""The error handlers that may answer for a route: its blueprint's, that one's blueprint's, …, the App's."""


class ErrorChains:
    """The error handlers of one compiled App, by where a route stands."""

    def __init__(self, sites: Sites, overrides: Overrides | None) -> None:
        self._sites = sites
        self._overrides = overrides
        self._levels: dict[tuple[int, ...], Level] = {}

    def compile(self, own: Scope, entries: Iterable[Entry]) -> None:
        """Compile every error handler.

        Args:
            own: of the App itself.
            entries: its routes.

        Raises:
            SignatureError: an error handler cannot be called.
            ConfigurationError: what it asks for cannot be made.
        """
        for scope in (own, *(entry.scope for entry in entries)):
            self.of(scope)

    def of(self, scope: Scope) -> Chain:
        """The chain of a place in the tree of includes; whatever of it was not asked for before is compiled.

        Raises:
            ConfigurationError: as `compile`.
        """
        return tuple(self._level(scope, at) for at in range(len(scope.error_handlers)))

    def _level(self, scope: Scope, at: int) -> Level:
        handlers, providers = scope.error_handlers[at], scope.providers[at:]
        site = self._sites.of(outside(scope, at))
        key = (id(handlers), id(site), *map(id, providers))
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = {
                kind: compile_error_handler(handler, providers, site, self._overrides)
                for kind, handler in handlers.items()
            }
        return level

    def __iter__(self) -> Iterator[ErrorAnswerer]:
        for level in self._levels.values():
            yield from level.values()


def outside(scope: Scope, at: int) -> Scope:
    """What is around one level of a scope: without the mounted Apps that stand inside of it."""
    depth = len(scope.error_handlers) - at
    mounts = tuple(each for each in scope.mounts if len(each.scope.error_handlers) <= depth)
    return msgspec.structs.replace(scope, mounts=mounts)


def compile_error_handler(
    handler: ErrorHandler,
    providers: Sequence[Sequence[Provided]],
    site: Site,
    overrides: Overrides | None,
) -> ErrorAnswerer:
    """Decide what an error handler is called with.

    Raises:
        ConfigurationError: as `ErrorChains.compile`.
    """
    signature = check_error_handler(handler)
    with named_at(signature.place):
        encoding = encoding_of(signature.returns)
    kind, around = kind_of(handler.function), site.around
    plain = ErrorAnswerer(
        handler,
        encoding,
        handler.function,
        kind == "async",
        around.rendering,
        around.threads.aside,
    )
    further = signature.parameters[2:]
    if not further:
        return plain
    graph = Graph(visible(providers, overrides), Offer({}, ("GET",), site.constants, Settings))
    arguments = graph.arguments_of(signature, parameters=further)
    check_given(signature, arguments)
    check_colours(signature, kind, arguments)
    first = (Argument("request", None, TheRequest()), Argument("error", None, TheError()))
    call = answering_async(plain) if plain.is_async else answering(plain)
    called = Function(call, signature, (*first, *arguments), "async" if plain.is_async else "def")
    program = compile_program(
        Parts(
            called,
            (),
            (),
            unchanged,
            refuse,
            refuse,
            around.threads,
            responds=False,
            reserve=refuse,
            lasting=around.lasting,
            takes_error=True,
            connections=around.connections,
        ),
        signature.name,
    )
    return msgspec.structs.replace(
        plain, function=program.function, is_async=program.kind == "async", arguments=arguments
    )


def check_given(signature: Signature, arguments: Iterable[Argument]) -> None:
    """Refuses an error handler that reads input.

    Raises:
        SignatureError: `binding.error-handler`.
    """
    for argument in arguments:
        if not isinstance(argument.source, GIVEN):
            raise signature.refused(
                "binding.error-handler",
                f"{argument.name} would be read from the request a second time ({argument.source.words})",
                f"take {argument.name} from the request",
                "ask for a type that a provider returns",
            )


def unchanged(_request: Any, value: Any) -> Any:
    return value


def answering(answerer: ErrorAnswerer) -> Callable[..., Any]:
    """The function with its value made a response, while what it was given is there: a page may read from it."""

    @functools.wraps(answerer.handler.function)
    def call(request: Any, error: BaseException, /, *args: Any, **named: Any) -> Any:
        value = answerer.handler.function(request, error, *args, **named)
        if answerer.rendering is not None:
            value = answerer.rendering.rendered_here(request, value)
        return answerer.answers(as_http_error(error).status).respond(value)

    return call


def answering_async(answerer: ErrorAnswerer) -> Callable[..., Any]:
    """As `answering`, on the loop."""

    @functools.wraps(answerer.handler.function)
    async def call(request: Any, error: BaseException, /, *args: Any, **named: Any) -> Any:
        value = await answerer.handler.function(request, error, *args, **named)
        if answerer.rendering is not None:
            value = await answerer.rendering.rendered(request, value)
        return answerer.answers(as_http_error(error).status).respond(value)

    return call
