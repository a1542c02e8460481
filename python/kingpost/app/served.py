"""How a route is served: its handler as it is, or a program around it."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from kingpost import limits
from kingpost.app.around import Around
from kingpost.app.calls import Call, limited
from kingpost.app.conversation import accepting
from kingpost.app.crossing import on_loop
from kingpost.app.formats import Formats, functions_of
from kingpost.app.fresh import FreshCalls
from kingpost.app.layers import check_middleware, is_async, layered, on_thread
from kingpost.app.program import Function, Parts, Program, blocks_of, compile_program
from kingpost.app.rendering import REQUEST as THE_REQUEST
from kingpost.app.streams import read_on_threads
from kingpost.binding.choose import WITHOUT_BODY
from kingpost.binding.offer import Offer
from kingpost.binding.plan import Argument, Arguments, Binding, check_one_body, check_path_is_taken
from kingpost.binding.signature import Signature, signature_of
from kingpost.binding.sources import Constant, Made, TheRequest
from kingpost.errors import ConfigurationError, Forbidden, RoutingError
from kingpost.http.before_body import before_body, is_before_body
from kingpost.http.request import Request, check_form_type, is_multipart, plain_fields
from kingpost.http.response import Response
from kingpost.http.stream import BodyStream
from kingpost.http.uploads import FormBounds, FormData, receive
from kingpost.injection.graph import Graph, Node, check_colours, needed
from kingpost.injection.lookup import Lookup, Overrides, check_one_each
from kingpost.injection.provider import Kind, check_gives, kind_of, provider_of
from kingpost.routing.acl import Permission, Principals
from kingpost.routing.options import body_limit
from kingpost.routing.route import REGISTERED, Provided
from kingpost.routing.table import Entry
from kingpost.types import HandlerKind, Mode, Place

REQUEST = Binding(
    Signature("program", (), inspect.Parameter.empty, Place("<program>", 0)),
    (Argument("request", None, TheRequest()),),
)
"""The arguments of every program."""

KINDS: dict[HandlerKind, Kind] = {
    "async": "async",
    "asyncgen": "async",
    "thread": "def",
    "inline": "def",
}


class Served(msgspec.Struct):
    """What answers a route.

    Attributes:
        binding: the handler's parameters.
        function: called with the arguments of the handler, or, where there is a program, with the request.
        kind: how it is called.
        program: the steps around the handler, with the layers of middleware; None where there are none.
        nodes: the providers that are made for it.
        reads: all that is read from a request, by the handler, by hooks and by providers.
        before: hooks.
        after: hooks.
        middleware: outermost first.
        around: where a replacement of another colour runs.
        early: as `function`, where the body is still to come: what needs none runs before it is read. A coroutine function; None where
            nothing is to run before.
    """

    binding: Binding
    function: Callable[..., Any]
    kind: HandlerKind
    program: Program | None
    nodes: Sequence[Node]
    reads: Binding
    before: Sequence[Function]
    after: Sequence[Function]
    middleware: Sequence[Callable[..., Any]]
    around: Around
    early: Callable[..., Any] | None = None

    def as_called(self, mode: Mode) -> tuple[Callable[..., Any], HandlerKind, Binding]:
        """What the engine calls. In tests it is looked up at each request, so that an override may take its place."""
        if self.program is None:
            return self.function, self.kind, self.binding_in(mode)
        if mode != "test":
            return self.function, self.kind, REQUEST
        if self.kind == "thread":
            return self.call_here, "thread", REQUEST
        return self.call_on_loop, "async", REQUEST

    def binding_in(self, mode: Mode) -> Binding:
        """The handler's parameters. What the App has for them is copied into the engine, but not in tests, where it may be replaced."""
        if mode == "test" and any(
            isinstance(each.source, Constant) for each in self.binding.arguments
        ):
            return LateBinding(self.binding.signature, self.binding.arguments, self)
        return self.binding

    def gives_response(self, mode: Mode) -> bool:
        """Whether what is called returns a response, whatever the handler's annotation says."""
        return self.program is not None and (self.program.responds or mode == "test")

    def early_as_called(self, mode: Mode) -> Callable[..., Any] | None:
        """What the engine calls where the body is still to come."""
        return self.call_early if self.early is not None and mode == "test" else self.early

    def take(self, other: Served) -> None:
        """Answer as `other` does, from now on."""
        self.early = other.early
        self.function, self.kind, self.program = other.function, other.kind, other.program
        self.nodes, self.reads, self.binding = other.nodes, other.reads, other.binding

    async def call_on_loop(self, request: Any) -> Any:
        if self.kind == "async":
            return await self.function(request)
        if self.kind == "inline":
            return self.function(request)
        value = await self.around.threads.call(partial(self.function, request))
        if not isinstance(value, Response):
            return value
        response: Response[Any] = value  # pyright: ignore[reportUnknownVariableType] - any content
        return read_on_threads(response, self.around.threads.aside)

    async def call_early(self, request: Any) -> Any:
        if self.early is not None:
            return await self.early(request)
        # What has taken a provider's place needs the body.
        await receive_body(request)
        return await self.call_on_loop(request)

    def call_here(self, request: Any) -> Any:
        if self.kind == "async":
            return on_loop(self.function, request)
        return self.function(request)


class LateBinding(Binding, frozen=True):
    """The arguments of a handler as its route has them at each request, for tests."""

    served: Served

    @property
    def binders(self) -> None:
        return None

    def slow(self, request: Request) -> Arguments:
        return self.served.binding.slow(request)


def visible(levels: Sequence[Sequence[Provided]], overrides: Overrides | None) -> Lookup:
    """The providers that a route sees."""
    return Lookup(
        [
            [
                provider_of(
                    each.function, scope=each.scope, inline=each.inline, async_type=each.async_type
                )
                for each in level
            ]
            for level in levels
        ],
        overrides,
    )


def serve(
    entry: Entry,
    call: Call,
    *,
    signature: Signature,
    offer: Offer,
    index: int | None,
    around: Around,
    overrides: Overrides | None,
    formats: Formats | None = None,
) -> Served:
    """Put together what answers a route.

    Raises:
        ConfigurationError: a parameter, a provider, a hook or middleware cannot work.
    """
    route = around.of_route(index)
    graph = Graph(visible(entry.scope.providers, overrides), offer)
    binding = Binding(signature, graph.arguments_of(signature))
    check_colours(signature, KINDS[call.kind], binding.arguments)
    timeout = call.timeout
    if formats is not None:
        call, binding = formats.of_handler(call, binding)
    if around.rendering is not None:
        pages = [signature_of(each) for each in functions_of(entry)]
        call, binding = around.rendering.of_handler(call, binding, graph, pages)
    before, after = hooks(entry, graph, around)
    middleware = (*entry.scope.middleware, *entry.options.get("middleware", ()))
    for each in middleware:
        check_middleware(each)
    every = (*binding.arguments, *(each for hook in (*before, *after) for each in hook.arguments))
    nodes = needed(every)
    reads = Binding(signature, (*every, *(each for node in nodes for each in node.arguments)))
    signatures = (
        *(node.provider.signature for node in nodes),
        *(each.signature for each in before),
    )
    check_path_is_taken(signature, offer, [it for each in signatures for it in each.parameters])
    check_one_body(signature, reads.arguments)
    is_plain = not (before or after or middleware or reads.takes_files) and not any(
        isinstance(argument.source, Made) for argument in binding.arguments
    )
    if is_plain:
        plain = limited(call.handler, timeout)
        return Served(binding, plain, call.kind, None, nodes, reads, (), (), (), around)
    handler = Function(
        accepting(call.handler) if entry.is_websocket else call.handler,
        signature,
        binding.arguments,
        KINDS[call.kind],
        call.kind == "inline",
    )
    parts = Parts(
        handler,
        before,
        after,
        route.respond,
        route.caught,
        route.caught_here,
        around.threads,
        bool(middleware),
        around.background.reserve,
        around.lasting,
        form_node(entry, offer.form) if reads.takes_files else None,
        timeout=timeout,
        connections=around.connections,
    )
    name = entry.name or signature.name

    def put_around(program: Program) -> tuple[Callable[..., Any], HandlerKind]:
        function, is_async = layered(
            program.function,
            inner_is_async=program.kind == "async",
            middleware=middleware,
            around=route,
        )
        kind = program.kind if not middleware else "async" if is_async else "thread"
        if program.has_background:
            fresh = FreshCalls(graph.lookup, offer, around.threads, around.lasting)
            waited = function if is_async else on_thread(function, route)
            function, kind = around.background.followed(waited, fresh), "async"
        return function, kind

    program = compile_program(parts, name)
    function, kind = put_around(program)
    early = None
    if may_run_early(entry, reads, middleware):
        waiting = msgspec.structs.replace(parts, body=BODY)
        if middleware or blocks_of(waiting)[0][0].node is not BODY:
            early, _ = put_around(compile_program(waiting, name))
    return Served(
        binding, function, kind, program, nodes, reads, before, after, middleware, around, early
    )


def may_run_early(entry: Entry, reads: Binding, middleware: Sequence[Callable[..., Any]]) -> bool:
    """Whether what needs no body may run before it: nothing around it needs one, and there may be one that is read as a whole."""
    return (
        not reads.streams
        and any(method not in WITHOUT_BODY for method in entry.methods)
        and all(is_before_body(each) and is_async(each) for each in middleware)
    )


async def receive_body(request: Request) -> bytes:
    """The body of a request that is still to come; from then on the request has it.

    Raises:
        HTTPError: it is too long, broken or too slow.
    """
    unread = request.unread
    if unread is None:
        raise RuntimeError("the route receives its body, and the engine has read it")
    body = b"".join([chunk async for chunk in BodyStream(unread)])
    request.keep_body(body)
    return body


BODY: Final = Node(
    (receive_body,), provider_of(receive_body), (Argument("request", None, TheRequest()),)
)
"""The step that receives a body."""


def form_node(entry: Entry, said: FormBounds) -> Node:
    """The step that receives the form of a route, and gives its temporary files back at the end."""
    bounds = said.file_within(body_limit(entry.options, default=limits.UPLOAD_BYTES))

    async def form(request: Request) -> AsyncGenerator[FormData]:
        received = await receive_form(request, bounds)
        request.keep_form(received)
        try:
            yield received
        finally:
            received.close()

    provider = provider_of(form)
    return Node((form,), provider, (Argument("request", None, TheRequest()),))


async def receive_form(request: Request, bounds: FormBounds) -> FormData:
    """The form of a request whose body is unread.

    Raises:
        HTTPError: it is none, or breaks a rule.
    """
    check_form_type(request)
    unread = request.unread
    if unread is None:
        raise RuntimeError("the route receives its form, and the engine has read it")
    chunks = aiter(BodyStream(unread))
    if is_multipart(request):
        return await receive(chunks, request.headers["content-type"], bounds)
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > bounds.in_memory:
            break
    return FormData(plain_fields(bytes(body), bounds), [])


def hooks(
    entry: Entry, graph: Graph, around: Around
) -> tuple[Sequence[Function], Sequence[Function]]:
    """What runs before and after the handler of a route.

    Raises:
        SignatureError: a hook cannot be called.
    """
    before = [
        *(required_hook(function, graph, around, entry.place) for function in entry.requires),
        *(
            hook(function, graph, around)
            for function in (*entry.scope.before, *entry.options.get("before", ()))
        ),
    ]
    after_graph = Graph(graph.lookup, msgspec.structs.replace(graph.offer, has_response=True))
    after_graph.nodes = graph.nodes
    after = [
        hook(function, after_graph, around)
        for function in (*entry.options.get("after", ()), *entry.scope.after)
    ]
    for each in after:
        check_not_finished(each)
    return before, after


def required_hook(
    function: Callable[..., Any], graph: Graph, around: Around, place: Place
) -> Function:
    """A hook that never answers: what it says is refused or let pass.

    Raises:
        RoutingError: `routing.no-principals` for a permission where no provider says who asks.
        SignatureError: it cannot be called.
    """
    if isinstance(function, Permission) and graph.lookup.find(Principals) is None:
        raise RoutingError(
            f"{function!r} asks who somebody is, and no provider that the route sees makes Principals",
            code="routing.no-principals",
            remedy="app.provide(f), with a function f that returns kingpost.routing.Principals",
            places=[place],
        )
    made = hook(function, graph, around)
    call = made.function

    async def ask_on_loop(*args: Any, **named: Any) -> None:
        refuse_where(await call(*args, **named))

    def ask(*args: Any, **named: Any) -> None:
        refuse_where(call(*args, **named))

    asking = ask_on_loop if made.kind == "async" else ask
    return msgspec.structs.replace(
        made, function=before_body(asking) if is_before_body(function) else asking
    )


def refuse_where(allowed: object) -> None:
    if allowed is False:
        raise Forbidden("you may not do this")


def hook(function: Callable[..., Any], graph: Graph, around: Around) -> Function:
    signature = signature_of(function)
    kind = kind_of(function)
    if kind not in ("def", "async"):
        raise signature.refused(
            "binding.hook",
            "a hook is called once and yields nothing",
            "write return",
            "write middleware",
        )
    arguments = graph.arguments_of(signature)
    check_colours(signature, kind, arguments)
    if around.rendering is not None:
        rendered = around.rendering.of_hook(function, signature)
        if rendered is not function:
            arguments = (*arguments, Argument(THE_REQUEST, THE_REQUEST, TheRequest()))
        function = rendered
    return Function(function, signature, arguments, kind)


def check_not_finished(after: Function) -> None:
    """Refuses a hook behind the handler that asks for what is finished by then.

    Raises:
        SignatureError: `injection.finished`.
    """
    for node in needed(after.arguments):
        if node.provider.is_generator:
            raise after.signature.refused(
                "injection.finished",
                f"{node.name} has finished what it made when the response is there",
                f"do it in {node.name}, behind its yield",
                "ask for BackgroundTasks in the handler",
                places=[node.provider.place],
            )


def know_providers() -> None:
    """Learn what the providers of this process make, those of other Apps and of blueprints that nobody included as well."""
    for function in tuple(REGISTERED):
        # What cannot be told of them is told to those who use them.
        with contextlib.suppress(ConfigurationError):
            check_gives(provider_of(function))
            REGISTERED.discard(function)


def check_providers(level: Sequence[Provided]) -> None:
    """Refuses providers of one App or Blueprint that cannot be, whether a route needs them or not.

    Raises:
        ConfigurationError: `injection.no-type`, `injection.plain-type` or `injection.two-providers`.
    """
    (providers,) = visible((level,), None).levels
    for provider in providers:
        check_gives(provider)
    check_one_each(providers)
