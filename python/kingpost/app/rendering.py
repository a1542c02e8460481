"""How what a handler returned is rendered: where the handler ran, before what was made for it is finished.

Rule 1: a handler whose annotation names what is rendered is told at start what the functions of the context need: their providers are the
handler's, made before it and finished behind the page. The functions themselves are called behind the handler, and only those that the
page has a variable of.
Rule 2: where no annotation says so, and for error handlers and hooks, the same is made anew, for the page alone.
Rule 3: a `def` renders on its thread, an `async def` on the loop.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec

from kingpost.app.calls import Call
from kingpost.app.crossing import Threads, on_loop
from kingpost.app.extensions import Claim
from kingpost.app.rendered import Rendered, may_render, rendered_in
from kingpost.binding.plan import Argument, Binding
from kingpost.binding.signature import Signature, signature_of
from kingpost.binding.sources import Constant, FromProvider, TheRequest
from kingpost.errors import ConfigurationError
from kingpost.http.request import Request
from kingpost.injection.graph import Graph
from kingpost.injection.provider import kind_of
from kingpost.routing.reverse import Urls
from kingpost.types import Mode

Values = dict[str, Any]
GIVEN = (TheRequest, Constant, FromProvider)
"""Where the parameters of a function of the context may come from."""
REQUEST = "kingpost_request"


class Renderer(Protocol):
    """What a plugin gives to `app.extensions.renderer`."""

    def prepare(self, mode: Mode, urls: Urls, context: Collection[str]) -> None:
        """Told at each start how the App runs, the names of its routes, and the variables of its context."""
        ...

    def check(self, functions: Sequence[Callable[..., Any]]) -> Iterator[ConfigurationError]:
        """What is wrong with what these functions render, as far as it can be known."""
        ...

    def wanted(self, response: Any, /) -> Collection[str] | None:
        """The variables of the context that a response has need of; None: any."""
        ...

    def render(self, response: Any, request: Request | None, values: Values, /) -> None:
        """Give the response its body."""
        ...


class Variable(msgspec.Struct, frozen=True):
    """A function of the context, and what it is called with.

    Attributes:
        key: its name in templates.
        function: as written.
        is_async: whether its call must be awaited.
        arguments: the handler's arguments that are its own: (the handler's, its own; None for a positional one).
    """

    key: str
    function: Callable[..., Any]
    is_async: bool
    arguments: tuple[tuple[str, str | None], ...]

    def call(self, hidden: Mapping[str, Any]) -> Any:
        args = [hidden[ours] for ours, own in self.arguments if own is None]
        named = {own: hidden[ours] for ours, own in self.arguments if own is not None}
        return self.function(*args, **named)


class Rendering:
    """What renders the answers of one compiled App.

    Args:
        renderers: by the class of what they render.
        context: the functions of the context by their names.
        threads: where a `def` is called for an `async def`.

    Attributes:
        apart: calls one function of the context for one request, with what is made for it alone.
    """

    def __init__(
        self,
        renderers: Mapping[type[Rendered], Renderer],
        context: Mapping[str, Claim],
        threads: Threads,
    ) -> None:
        self._renderers = renderers
        self._context = context
        self._threads = threads
        self.apart: dict[str, Callable[[Request], Awaitable[Any]]] = {}

    @property
    def context(self) -> Mapping[str, Claim]:
        return self._context

    def prepare(
        self, mode: Mode, urls: Urls, functions: Sequence[Callable[..., Any]]
    ) -> Iterator[ConfigurationError]:
        """Tell the renderers of the start; what is wrong with what they will render."""
        for renderer in {id(each): each for each in self._renderers.values()}.values():
            renderer.prepare(mode, urls, tuple(self._context))
            yield from renderer.check(functions)

    def renderer_of(self, response: Rendered) -> Renderer | None:
        for kind in type(response).__mro__:
            found = self._renderers.get(kind)
            if found is not None:
                return found
        return None

    def check_rendered(self, signature: Signature) -> None:
        """Refuses a function that answers with what nothing renders.

        Raises:
            SignatureError: `answer.not-rendered`.
        """
        for kind in rendered_in(signature.returns):
            if not any(issubclass(kind, known) for known in self._renderers):
                raise signature.refused(
                    "answer.not-rendered",
                    f"it answers with {kind.__name__}, and nothing is installed that renders it",
                    kind.remedy,
                )

    # -- handlers

    def of_handler(
        self, call: Call, binding: Binding, graph: Graph, pages: Sequence[Signature] = ()
    ) -> tuple[Call, Binding]:
        """A handler that renders what it returns, or what functions of its formats do, and its arguments.

        Raises:
            SignatureError: nothing renders it, or a function of the context asks for what no page can give.
        """
        signature = binding.signature
        for each in (signature, *pages):
            self.check_rendered(each)
        found = {may_render(each.returns) for each in (signature, *pages)}
        may = True if True in found else None if None in found else False
        if may is False or not self._renderers:
            return call, binding
        hidden = [Argument(REQUEST, REQUEST, TheRequest())]
        variables: list[Variable] = []
        for key, claim in self._context.items() if may else ():
            own = signature_of(claim.function)
            arguments = graph.arguments_of(own)
            check_given(own, arguments)
            ours = [f"kingpost_{key}_{argument.name}" for argument in arguments]
            hidden += [
                Argument(name, name, argument.source)
                for name, argument in zip(ours, arguments, strict=True)
            ]
            pairs = zip(ours, (argument.keyword for argument in arguments), strict=True)
            is_async = kind_of(claim.function) == "async"
            variables.append(Variable(key, claim.function, is_async, tuple(pairs)))
        names = tuple(argument.name for argument in hidden)
        made_by = tuple(variables) if may else None
        words = f"{call.words}; pages are rendered there"
        if call.kind == "thread":
            wrapped = Call(self._on_thread(call.handler, names, made_by), "thread", words)
        else:
            wrapped = Call(
                self._on_loop(call.handler, names, made_by, is_inline=call.kind == "inline"),
                "async",
                words,
            )
        return wrapped, Binding(signature, (*binding.arguments, *hidden))

    def _on_thread(
        self,
        handler: Callable[..., Any],
        names: Sequence[str],
        variables: Sequence[Variable] | None,
    ) -> Callable[..., Any]:
        @functools.wraps(handler)
        def call(*args: Any, **named: Any) -> Any:
            hidden = {name: named.pop(name) for name in names}
            value = handler(*args, **named)
            renderer = self._needed(value)
            if renderer is not None:
                wanted = renderer.wanted(value)
                if variables is None:
                    values = self.values_here(hidden[REQUEST], wanted)
                else:
                    values = {
                        each.key: on_loop(each.call, hidden) if each.is_async else each.call(hidden)
                        for each in variables
                        if wanted is None or each.key in wanted
                    }
                renderer.render(value, hidden[REQUEST], values)
            return value

        return call

    def _on_loop(
        self,
        handler: Callable[..., Any],
        names: Sequence[str],
        variables: Sequence[Variable] | None,
        *,
        is_inline: bool,
    ) -> Callable[..., Any]:
        @functools.wraps(handler)
        async def call(*args: Any, **named: Any) -> Any:
            hidden = {name: named.pop(name) for name in names}
            value = handler(*args, **named) if is_inline else await handler(*args, **named)
            renderer = self._needed(value)
            if renderer is not None:
                wanted = renderer.wanted(value)
                if variables is None:
                    values = await self.values(hidden[REQUEST], wanted)
                else:
                    values = {
                        each.key: await self._called(each, hidden)
                        for each in variables
                        if wanted is None or each.key in wanted
                    }
                renderer.render(value, hidden[REQUEST], values)
            return value

        return call

    async def _called(self, variable: Variable, hidden: Mapping[str, Any]) -> Any:
        if variable.is_async:
            return await variable.call(hidden)
        # What the handler's providers made is held until the page is rendered.
        return await self._threads.aside(functools.partial(variable.call, hidden))

    # -- hooks and error handlers

    def of_hook(self, function: Callable[..., Any], signature: Signature) -> Callable[..., Any]:
        """A function that takes the request as `kingpost_request`, or first, and renders what it returns.

        Raises:
            SignatureError: nothing renders it.
        """
        self.check_rendered(signature)
        if may_render(signature.returns) is False or not self._renderers:
            return function
        if kind_of(function) == "async":

            @functools.wraps(function)
            async def call_async(*args: Any, **named: Any) -> Any:
                request = named.pop(REQUEST, None) or args[0]
                return await self.rendered(request, await function(*args, **named))

            return call_async

        @functools.wraps(function)
        def call(*args: Any, **named: Any) -> Any:
            request = named.pop(REQUEST, None) or args[0]
            return self.rendered_here(request, function(*args, **named))

        return call

    async def rendered(self, request: Request, value: Any) -> Any:
        """What a function returned, rendered if need be; on the loop."""
        renderer = self._needed(value)
        if renderer is not None:
            renderer.render(value, request, await self.values(request, renderer.wanted(value)))
        return value

    async def rendered_apart(self, request: Request, value: Any) -> Any:
        """As `rendered`, the page itself on a thread."""
        renderer = self._needed(value)
        if renderer is not None:
            values = await self.values(request, renderer.wanted(value))
            await self._threads.aside(functools.partial(renderer.render, value, request, values))
        return value

    def rendered_here(self, request: Request, value: Any) -> Any:
        """As `rendered`, on a worker thread."""
        renderer = self._needed(value)
        if renderer is not None:
            renderer.render(value, request, self.values_here(request, renderer.wanted(value)))
        return value

    def _needed(self, value: Any) -> Renderer | None:
        if not isinstance(value, Rendered):
            return None
        if value.is_sealed:
            raise RuntimeError(
                f"{value!r} was sent already, as another visitor's page: make a new {type(value).__name__} for each request"
            )
        if value.is_rendered:
            return None
        return self.renderer_of(value)

    async def values(self, request: Request, wanted: Collection[str] | None) -> Values:
        """The variables of the context, for one page alone."""
        return {
            key: await make(request)
            for key, make in self.apart.items()
            if wanted is None or key in wanted
        }

    def values_here(self, request: Request, wanted: Collection[str] | None) -> Values:
        """As `values`, on a thread."""
        if not self.apart or (wanted is not None and not set(wanted) & set(self.apart)):
            return {}
        return on_loop(self.values, request, wanted)


def check_given(signature: Signature, arguments: Sequence[Argument]) -> None:
    """Refuses a function of the context that reads input.

    Raises:
        SignatureError: `extensions.context-input`.
    """
    for argument in arguments:
        if isinstance(argument.source, GIVEN):
            continue
        name = argument.name
        raise signature.refused(
            "extensions.context-input",
            f"every page would read {name} from its own input",
            "take request: Request",
            "ask for a type that a provider returns",
        )


_box: ContextVar[list[Any]] = ContextVar("kingpost.context_value")


def boxed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its value put where `unboxed` finds it; what a program returns is a response already."""
    if kind_of(function) == "async":

        async def put_async(*args: Any, **named: Any) -> str:
            _box.get().append(await function(*args, **named))
            return ""

        return put_async

    def put(*args: Any, **named: Any) -> str:
        _box.get().append(function(*args, **named))
        return ""

    return put


async def unboxed(run: Callable[[], Awaitable[Any]]) -> Any:
    """The value that a boxed function has left, called by `run`."""
    box: list[Any] = []
    token = _box.set(box)
    try:
        await run()
    finally:
        _box.reset(token)
    return box[0]
