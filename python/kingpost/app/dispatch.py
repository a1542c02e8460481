"""What the engine asks of an App, answered: see `kingpost.server.dispatch` for the questions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from kingpost import _native
from kingpost._native import Answer
from kingpost.app.answers import DYNAMIC, AnswerError, sealed
from kingpost.app.conversation import TALKED, farewell
from kingpost.app.crossing import Threads
from kingpost.app.error_handlers import Chain, ErrorAnswerer
from kingpost.app.failing import ErrorAnswers
from kingpost.app.failures import as_http_error, handler_of
from kingpost.app.guard import check_coding, check_host, check_origin
from kingpost.app.json import encode_json
from kingpost.app.pages import RouteLine
from kingpost.app.plan import CompiledRoute
from kingpost.app.reporting import Reporters
from kingpost.errors import BadRequest, Forbidden, HTTPError, MethodNotAllowed, NotFound
from kingpost.html import Html
from kingpost.http.background import Work
from kingpost.http.request import Request
from kingpost.http.response import NOSNIFF, Response
from kingpost.http.uploads import UNSAID, FormBounds
from kingpost.http.url import absolute_url
from kingpost.http.vary import varied, vary_in, vary_of
from kingpost.http.websocket import WebSocket, WebSocketClosed
from kingpost.routing.hosts import without_port
from kingpost.routing.reverse import Urls
from kingpost.server.threads import is_on_loop
from kingpost.types import WEBSOCKET, Mode

if TYPE_CHECKING:
    from kingpost.app.choosing import Choices
    from kingpost.app.errands import Errand
    from kingpost.app.extensions import Metric
    from kingpost.app.mounting import Answering
    from kingpost.server.readings import Readings

Unhandled = Callable[[Request, BaseException], None]
PORT = re.compile(r":[0-9]+$", re.ASCII)

FORGIVING: Final = 60.0
"""Seconds between two lines about forgotten returns of one route."""


class AppDispatch:
    """The dispatch of one compiled App.

    Attributes:
        before_guard: called before it is checked where a request comes from: middleware that finds out more about that.
        threads: where error handlers that are a `def` run.
        follow: has a task waited for at a stop that goes on behind its answer.
        error_chains: the error handlers of each route, by its index; set when the App is compiled.
        own_errors: the error handlers of the App itself, for requests that no route answers.
        health: asks whether the App can do its work, by name.
        metrics: asks for numbers, by name.
        request_var: is set to the request in its context, where the log looks at it; set by the server.
        measures: whether the server is measured.
        labels: the patterns of the routes, by the numbers of the plans.
        readings: what is measured; set by the server that measures.
        unhandled: told of every exception that was not meant for the client and that no error handler took; the test client raises it
            in the test.
    """

    request_type: type[Request] = Request
    html_type: type[str] = Html
    response_type: type[Response[Any]] = Response

    def __init__(
        self,
        *,
        mode: Mode,
        routes: Sequence[CompiledRoute],
        router: _native.Router,
        urls: Urls,
        hosts: Sequence[str],
        reporters: Reporters,
    ) -> None:
        self._mode = mode
        self._routes = routes
        self._router = router
        self._urls = urls
        self._hosts = hosts
        self._reporters = reporters
        self._errors = ErrorAnswers(mode, self._route_lines)
        self._warned: set[int] = set()
        # When the next forgotten return of a route, by its index, is told of.
        self._forgiving: dict[int, float] = {}
        self.json_encode = encode_json
        self.guard_all = mode == "production" and bool(hosts)
        self.warn_markup = mode == "development"
        self.unhandled: Unhandled | None = None
        self.threads = Threads()
        self.follow: Callable[[asyncio.Task[None]], None] = lambda _task: None
        self.before_guard: Sequence[Callable[[Request], None]] = ()
        self.choices: Choices | None = None
        self.early_routes: Mapping[int, CompiledRoute] = {}
        self.mounted: Sequence[Answering] = ()
        self.request_var: ContextVar[_native.Request | None] | None = None
        self.measures = False
        self.labels: Sequence[str] = ()
        self.readings: Readings | None = None
        self.health: Mapping[str, Errand] = {}
        self.metrics: Mapping[str, tuple[Metric, Errand]] = {}
        self.error_chains: Sequence[Chain] = ()
        self.own_errors: Chain = ()
        self.around_misses: (
            Callable[[Request, tuple[str, ...] | None], Awaitable[Answer]] | None
        ) = None

    # -- what handlers return

    def answer(self, request: Request, plan: int, value: Any, /) -> Answer:
        answer_to = getattr(value, "__answer__", None)
        if answer_to is not None:
            # What is sent of a file depends on the request.
            return answer_to(request)  # type: ignore[no-any-return]  # an Answer, as every __answer__ gives
        route = self._routes[plan] if plan < len(self._routes) else self.early_routes[plan]
        if self.warn_markup and isinstance(value, str) and value.startswith("<"):
            self._warn_of_markup(route, value)
        try:
            return route.answers.answer(value)
        except AnswerError as error:
            return self._forgiven(request, route, error)

    def _planned(self, plan: int) -> CompiledRoute | None:
        """The route of a plan; None for that of a choice."""
        return self._routes[plan] if plan < len(self._routes) else self.early_routes.get(plan)

    def responder(self, plan: int | None, /) -> Callable[[Request, Any], Response[Any]]:
        """What makes, of a value of a route's handler, the response that middleware and hooks see."""
        if plan is None:
            return lambda _request, value: DYNAMIC.respond(value)
        route = self._routes[plan]
        make = route.answers.respond

        def respond(request: Request, value: Any) -> Response[Any]:
            if self.warn_markup and isinstance(value, str) and value.startswith("<"):
                self._warn_of_markup(route, value)
            try:
                return make(value)
            except AnswerError as error:
                return sealed(self._forgiven(request, route, error))

        return respond

    def _forgiven(self, request: Request, route: CompiledRoute, error: AnswerError) -> Answer:
        """In production a forgotten return is answered with 204, and told of, for each route at most once a minute."""
        if self._mode != "production" or error.code != "answer.none":
            raise error
        now = monotonic()
        if now >= self._forgiving.get(route.index, now):
            self._forgiving[route.index] = now + FORGIVING
            logging.getLogger("kingpost.app").error(
                "%s %r is answered with 204, request %s: %s",
                request.method,
                request.path,
                request.id,
                error,
            )
        return Answer(204, [NOSNIFF], b"")

    def _warn_of_markup(self, route: CompiledRoute, value: str) -> None:
        if hasattr(value, "__html__") or not self._first_time(route):
            return
        logging.getLogger("kingpost.app").warning(
            '%s (%s) returned text that begins with "<", and text is sent as text/plain; for a page return Html(…)',
            route.answers.name,
            route.place,
        )

    def _first_time(self, route: CompiledRoute) -> bool:
        is_first = route.index not in self._warned
        self._warned.add(route.index)
        return is_first

    # -- what goes wrong

    def refusal(self, status: int, code: str, sentence: str, /) -> HTTPError:
        """The exception for a body that broke a rule of the engine's while it was read."""
        return HTTPError(sentence, status=status, code=code)

    def fail(
        self, request: Request, plan: int | None, error: BaseException, /
    ) -> Answer | Awaitable[Answer]:
        socket = request.websocket
        if socket is not None:
            talk: WebSocket[Any, Any] | None = socket.talk
            if talk is not None and talk.is_accepted:
                if isinstance(error, WebSocketClosed | asyncio.CancelledError):
                    # The client has left, or the server is about to.
                    return Answer(TALKED, [], b"")
                return self._fail_in_talk(talk, request, plan, error)
        return self._failed(request, plan, error)

    async def _fail_in_talk(
        self, talk: WebSocket[Any, Any], request: Request, plan: int | None, error: BaseException
    ) -> Answer:
        """The handshake was answered: what is left to be said to the client is a code."""
        answer = self._failed(request, plan, error)
        if not isinstance(answer, Answer):
            answer = await answer
        with contextlib.suppress(WebSocketClosed):
            await talk.close(*farewell(answer.status, error))
        return answer

    def _failed(
        self, request: Request, plan: int | None, error: BaseException
    ) -> Answer | Awaitable[Answer]:
        # A choice that has failed before it knew its route has none.
        route = None if plan is None else self._planned(plan)
        try:
            handler = handler_of(error, self._chain(request, route))
            if handler is None:
                return self._untaken(request, route, error)
            return self._ask(handler, request, route, error)
        except Exception as second:  # noqa: BLE001 - whatever the user's code raises is a 500
            return self._failed_twice(request, route, second)

    def _chain(self, request: Request, route: CompiledRoute | None) -> Chain:
        if route is not None:
            return self.error_chains[route.index]
        mounted = self._mounted_at(request)
        return self.own_errors if mounted is None else mounted.errors

    def _mounted_at(self, request: Request) -> Answering | None:
        """The mounted App below whose path a request is; None for those of the outermost."""
        if not self.mounted:
            return None
        path, host = request.path, without_port(request.host)
        return next((each for each in self.mounted if each.has(path, host)), None)

    def _ask(
        self,
        handler: ErrorAnswerer,
        request: Request,
        route: CompiledRoute | None,
        error: BaseException,
    ) -> Answer | Awaitable[Answer]:
        http_error = as_http_error(error)
        told = error if isinstance(handler.handler.kind, type) else http_error
        if handler.is_async:
            return self._ask_on_loop(handler, request, route, told, http_error)
        if is_on_loop():
            # `def` runs on a thread, also here: it may block.
            return self._ask_on_thread(handler, request, route, told, http_error)
        value = handler.function(request, told)
        if handler.rendering is not None:
            value = handler.rendering.rendered_here(request, value)
        return self._handled(handler, value, http_error)

    async def _ask_on_loop(
        self,
        handler: ErrorAnswerer,
        request: Request,
        route: CompiledRoute | None,
        told: BaseException,
        error: HTTPError,
    ) -> Answer:
        try:
            value = await handler.function(request, told)
            if handler.rendering is not None:
                value = await handler.rendering.rendered(request, value)
            return self._handled(handler, value, error)
        except Exception as second:  # noqa: BLE001 - whatever the user's code raises is a 500
            return self._failed_twice(request, route, second)

    async def _ask_on_thread(
        self,
        handler: ErrorAnswerer,
        request: Request,
        route: CompiledRoute | None,
        told: BaseException,
        error: HTTPError,
    ) -> Answer:
        try:
            call = partial(handler.function, request, told)
            value = await self.threads.call(call)
            if handler.rendering is not None:
                value = await handler.rendering.rendered_apart(request, value)
            return self._handled(handler, value, error)
        except Exception as second:  # noqa: BLE001 - whatever the user's code raises is a 500
            return self._failed_twice(request, route, second)

    def _handled(self, handler: ErrorAnswerer, value: Any, error: HTTPError) -> Answer:
        made = handler.answers(error.status).answer(value)
        if not error.headers:
            return made
        # `Allow` of a 405, `WWW-Authenticate` of a 401: the status demands them, whoever words the answer.
        present = {"vary", *(field for field, _ in made.headers)}
        missing = [
            (field.lower(), text)
            for field, text in error.headers.items()
            if field.lower() not in present
        ]
        answer = Answer(made.status, [*made.headers, *missing], made.body)
        return varied(answer, vary_in(error.headers))

    def _untaken(
        self, request: Request, route: CompiledRoute | None, error: BaseException
    ) -> Answer:
        http_error = as_http_error(error)
        if http_error is not error:
            self._report(request, error)
        elif self._mode == "development":
            self._tell_notes(request, http_error)
        handler = "" if route is None else f"{route.answers.name} in {route.place}"
        return self._errors.answer(request, http_error, is_missed=route is None, handler=handler)

    def _tell_notes(self, request: Request, error: HTTPError) -> None:
        """What an error says to the developer, and not to the client."""
        for note in getattr(error, "__notes__", ()):
            logging.getLogger("kingpost.app").warning(
                "%s %r: %s; %s", request.method, request.path, error.detail, note
            )

    def _failed_twice(
        self, request: Request, route: CompiledRoute | None, error: BaseException
    ) -> Answer:
        """The answer where an error handler has failed itself: nobody else is asked."""
        try:
            if isinstance(error, HTTPError):
                return self._errors.answer(request, error, is_missed=False, handler="")
            return self._untaken(request, route, error)
        except Exception:
            logging.getLogger("kingpost.app").exception("the answer to an error has failed")
            return Answer(500, [NOSNIFF], b"")

    def _report(self, request: Request, error: BaseException) -> None:
        self._reporters.tell(error, request)
        if self.unhandled is not None:
            self.unhandled(request, error)
            return
        logging.getLogger("kingpost.app").error(
            "%s %r failed, request %s", request.method, request.path, request.id, exc_info=error
        )

    def guest_failed(self, request: Request, error: BaseException, /) -> None:
        """A mounted application of others has raised, or has broken its interface: it is reported as a route's error is."""
        self._report(request, error)

    def report_background(self, work: Work, error: BaseException) -> None:
        """Tells of a call that followed an answer and failed."""
        self._reporters.tell(error, None)
        function = work[0]
        name = getattr(function, "__qualname__", repr(function))
        logging.getLogger("kingpost.app").error("%s failed, after its answer", name, exc_info=error)

    def report_connection(self, error: BaseException) -> None:
        """Tells of a provider of scope "connection" that failed when the connection was over."""
        self._reporters.tell(error, None)
        logging.getLogger("kingpost.app").error(
            "what was made for a connection could not be finished", exc_info=error
        )

    # -- what no route answers

    def miss(
        self, request: Request, allowed: tuple[str, ...] | None, /
    ) -> Answer | Awaitable[Answer]:
        if self.choices is not None and allowed is not None:
            if self.choices.blocks and is_on_loop():
                return self._missed_later(self.choices, request)
            allowed = self.choices.allowed(request)
        return self._missed_by(request, allowed)

    async def _missed_later(self, choices: Choices, request: Request) -> Answer:
        """Whether other methods lead somewhere is found out on a thread, where that may block."""
        try:
            allowed = await choices.threads.call(partial(choices.allowed, request))
            answer = self._missed_by(request, allowed)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is answered
            answer = self.fail(request, None, error)
        return answer if isinstance(answer, Answer) else await answer

    def _missed_by(
        self, request: Request, allowed: tuple[str, ...] | None
    ) -> Answer | Awaitable[Answer]:
        mounted = self._mounted_at(request)
        around = self.around_misses if mounted is None else mounted.around
        if around is not None:
            return around(request, allowed)
        return self.missed(request, allowed)

    def missed(self, request: Request, allowed: tuple[str, ...] | None, /) -> Answer:
        """The answer where no route matched, without what runs around it."""
        if allowed is None:
            return self._other_slash(request)
        fields = self._vary(request.raw_path)
        allowed = tuple(method for method in allowed if method != WEBSOCKET)
        if not allowed:
            # The engine says the same where nobody else has to be asked first.
            raise HTTPError("only WebSocket is served here", status=426, code="websocket.expected")
        automatic = ("HEAD", "OPTIONS") if "GET" in allowed else ("OPTIONS",)
        methods = sorted({*allowed, *automatic})
        if request.method == "OPTIONS":
            return varied(Answer(204, [("allow", ", ".join(methods)), NOSNIFF], b""), fields)
        raise MethodNotAllowed(
            f"{request.path} does not take {request.method}",
            allowed=methods,
            headers=vary_of(fields),
        )

    def _other_slash(self, request: Request) -> Answer:
        """`/todos/` leads to `/todos`, and the other way round, where exactly that route exists."""
        path = request.raw_path
        other = path[:-1] if path.endswith(b"/") else path + b"/"
        fields = self._vary(path, other)
        # A location that begins with two slashes is another host's.
        if len(path) > 1 and path[1:2] not in (b"/", b"\\") and self._leads(request, other):
            query = b"?" + request.query_string if request.query_string else b""
            before = quote(request.root_path, safe="/:@!$&'()*+,;=-._~")
            location = before + quote(other + query, safe="/%!$&'()*+,;=:@-._~?")
            return varied(Answer(308, [("location", location), NOSNIFF], b""), fields)
        if request.method == "OPTIONS" and path == b"*":
            return Answer(204, [NOSNIFF], b"")
        raise NotFound(headers=vary_of(fields))

    def _vary(self, *paths: bytes) -> tuple[str, ...]:
        """The header fields that decide what is said of paths where no route answers."""
        if self.choices is None:
            return ()
        return tuple(dict.fromkeys(field for path in paths for field in self.choices.vary(path)))

    def _leads(self, request: Request, path: bytes) -> bool:
        """Whether a route answers the request's method on another path."""
        if self.choices is not None:
            return self.choices.leads(request, path)
        found = self._router.find(request.method, path)
        return found is not None and bool(found) and isinstance(found[0], int)

    def _route(self, request: Request) -> CompiledRoute | None:
        """The route that answers a request; None where none does."""
        index = request.route_index
        if index is None:
            return None
        if index < len(self._routes):
            return self._routes[index]
        found = None if self.choices is None else self.choices.peek(index, request)
        return getattr(getattr(found, "candidate", None), "route", None)

    def form_bounds(self, request: Request) -> FormBounds:
        """How much a form of this request may hold."""
        route = self._route(request)
        return UNSAID if route is None else route.form

    def guard(self, request: Request, /) -> Answer | None:
        for prepare in self.before_guard:
            prepare(request)
        if self.guard_all:
            check_host(request, self._hosts)
        try:
            check_origin(request, self._hosts)
        except Forbidden:
            if not self._is_trusted(request):
                raise
        if "content-encoding" in request.headers:
            route = self._route(request)
            if route is not None and not route.served.reads.takes_raw_body:
                check_coding(request)
        return None

    def _is_trusted(self, request: Request) -> bool:
        """Whether middleware of the route lets pages of that other site act in the visitor's name."""
        route = self._route(request)
        middleware = () if route is None else route.served.middleware
        return any(
            trusts(request)
            for each in middleware
            if (trusts := getattr(each, "__trusts__", None)) is not None
        )

    # -- names

    def route_of(self, request: Request, /) -> str:
        """The pattern of the route that answers a request; "" where none does."""
        route = self._route(request)
        return "" if route is None else route.path

    def endpoint_of(self, request: Request, /) -> tuple[str, str, str, Callable[..., Any] | None]:
        """Of the route that answers a request: its pattern, the same without converters, its name and its handler."""
        route = self._route(request)
        if route is None:
            return "", "", "", None
        pieces = route.pattern.pieces
        plain = "".join(
            piece if isinstance(piece, str) else f"{{{piece.name}}}" for piece in pieces
        )
        return route.path, plain, route.name, route.entry.handler

    def url_for(
        self, request: Request, name: str, /, *, absolute: bool, params: Mapping[str, object]
    ) -> str:
        """The URL of a route, as a request sees it: a leading dot means the blueprint that it came through."""
        urls, below = self._names(request, name)
        path = request.root_path + urls.url_for(name, params, below=below)
        other = urls.host_for(name, params, below=below, asked=without_port(request.host))
        if other:
            port = PORT.search(request.host)
            return absolute_url(request.scheme, f"{other}{port[0] if port else ''}", path)
        return self._absolute(request, path) if absolute else path

    def url_of(
        self,
        request: Request,
        context: object,
        view: str,
        /,
        *,
        absolute: bool,
        params: Mapping[str, object],
    ) -> str:
        """The URL of a view of an object in a tree."""
        path = request.root_path + self._urls.url_of(
            context, view, params, near=request.cache.get("walk")
        )
        return self._absolute(request, path) if absolute else path

    def _absolute(self, request: Request, path: str) -> str:
        if not request.host:
            # HTTP/1.0 knows no Host, and no other name is to be trusted.
            raise BadRequest(
                "the request does not say which host it is for", code="request.unknown-host"
            )
        return absolute_url(request.scheme, request.host, path)

    def _names(self, request: Request, name: str) -> tuple[Urls, str]:
        """Where a name is looked up, and below which blueprint: a mounted App knows its own names, and those of the Apps around it."""
        route = self._route(request)
        below = "" if route is None else route.group
        if name.startswith("."):
            return self._urls, below
        if route is not None:
            mounts = route.entry.scope.mounts
        else:
            mounted = self._mounted_at(request)
            mounts = () if mounted is None else mounted.mounted.scope.mounts
        for each in mounts[::-1]:
            for answering in self.mounted:
                if answering.mounted.key == each.key and answering.urls.knows(name):
                    return answering.urls, ""
        return self._urls, below

    def _route_lines(self) -> list[RouteLine]:
        return [
            RouteLine(route.methods, route.path, route.name, str(route.place))
            for route in self._routes
        ]
