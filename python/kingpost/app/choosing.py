"""Several routes on one path: which of them is meant is seen from the host and from predicates.

The engine's router tells methods and paths apart. Routes of one method and of one path that differ in something else are one target to it,
whose plan is a `Choice`: it finds the route that is meant, and answers as that route does. A route without conditions never comes by here.

Rule 1: of the routes whose conditions hold the one that demands most answers: one for a host before one for any (a whole name before one
with parameters), more predicates before fewer, what the client wants more before what it wants less, what was registered earlier.
Rule 2: where none holds, the next pattern that matches the path is asked, as if the routes were not there; in the end it is 404, or 405, or
406 where a route was refused for nothing but its media type.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from kingpost import _native
from kingpost._native import Answer
from kingpost.app.crossing import Threads, on_loop
from kingpost.app.plan import CompiledRoute
from kingpost.app.served import REQUEST
from kingpost.errors import ContentTooLarge, NotAcceptable
from kingpost.http.request import Request
from kingpost.http.vary import varied
from kingpost.routing.conditions import Conditions, Unwanted
from kingpost.routing.hosts import without_port
from kingpost.routing.shape import in_order, renamed, shape_of
from kingpost.types import WEBSOCKET, HandlerKind

if TYPE_CHECKING:
    from kingpost.app.dispatch import AppDispatch

Params = Mapping[str, str]
ANY_HOST: tuple[tuple[Any, ...], Params] = ((), {})


class Candidate(msgspec.Struct, frozen=True):
    """One of the routes of a choice, and how it is called with a request.

    Attributes:
        names: of the parameters of its path, in order.
    """

    route: CompiledRoute
    conditions: Conditions
    names: tuple[str, ...]
    call: Callable[[Request], Any]
    kind: HandlerKind

    @property
    def rank(self) -> tuple[Any, ...]:
        return (*self.conditions.rank, self.route.index)


class Meant(msgspec.Struct, frozen=True):
    """The route that a request means, with the parameters of its path and its host."""

    candidate: Candidate
    params: Params


class Refused(msgspec.Struct, frozen=True):
    """A route that would be meant, if the client took what it gives."""

    candidate: Candidate
    types: tuple[str, ...]

    def after(self, other: Refused | None) -> Refused:
        """Both of them, told as one."""
        if other is None:
            return self
        return Refused(other.candidate, tuple(dict.fromkeys((*other.types, *self.types))))


class Choice:
    """Routes of one shape and one method, or the same methods: one target of the engine's router.

    Attributes:
        index: of the target, and of its plan.
        rivals: the other targets that may match the same paths and are asked after this one, in order.
    """

    def __init__(self, index: int, methods: Sequence[str], candidates: Sequence[Candidate]) -> None:
        self.index = index
        self.methods = tuple(methods)
        self.candidates = sorted(candidates, key=lambda each: each.rank)
        self.pattern = renamed(self.candidates[0].route.native_pattern)
        self.shape = shape_of(self.pattern)
        self.rivals: list[Choice] = []
        self.sees_hosts = any(each.conditions.hosts for each in self.candidates)
        self.router = _native.Router()
        self.router.add(self.pattern, list(self.methods), 0, "")

    @property
    def source(self) -> str:
        return self.candidates[0].route.entry.source

    @property
    def reachable(self) -> list[Candidate]:
        """Every route that may answer in the end."""
        return [*self.candidates, *(each for rival in self.rivals for each in rival.candidates)]

    @cached_property
    def vary(self) -> tuple[str, ...]:
        """The header fields that decide which route answers, or whether any does."""
        fields = (field for each in self.reachable for field in each.conditions.vary)
        return tuple(dict.fromkeys(fields))

    @property
    def blocks(self) -> bool:
        return any(each.conditions.blocks for each in self.reachable)

    @property
    def walks(self) -> bool:
        return any(each.conditions.walks is not None for each in self.reachable)

    @property
    def rival_routes(self) -> list[CompiledRoute]:
        return list(
            {
                each.route.index: each.route for rival in self.rivals for each in rival.candidates
            }.values()
        )

    def values(self, method: str, path: bytes) -> list[str] | None:
        """The parameters of a path that matches; None where it does not."""
        found = self.router.find(method, path)
        if not found or not isinstance(found[0], int):
            return None
        params: Any = found[1]
        return in_order(list(params.items()))

    def among(self, request: Request, values: Sequence[str]) -> Meant | Refused | None:
        """The route of this choice that is meant."""
        host = without_port(request.host) if self.sees_hosts else ""
        best: tuple[Any, ...] | None = None
        meant: Meant | None = None
        refused: Refused | None = None
        for each in self.candidates:
            conditions = each.conditions
            if meant is not None and demands_less(conditions, meant.candidate.conditions):
                break
            found = conditions.host_of(host) if conditions.hosts else ANY_HOST
            if found is None or not holds(conditions, request):
                continue
            wanted = weights(request, conditions) if conditions.weighed else ()
            if isinstance(wanted, Unwanted):
                refused = Refused(each, wanted.types).after(refused)
            elif wanted is not None:
                rank, of_host = found
                order = (not conditions.hosts, rank, -len(conditions.when), not wanted, wanted)
                if best is None or order < best:
                    params = {**of_host, **dict(zip(each.names, values, strict=True))}
                    best, meant = order, Meant(each, params)
        return meant or refused

    def find(self, request: Request, method: str, path: bytes) -> Meant | Refused | None:
        """The route that is meant with a method and a path, here or among the rivals."""
        return self.first((self, *self.rivals), None, request, method, path)

    def meant(self, request: Request) -> Meant | Refused | None:
        """The route that a request means whose path has led the engine here."""
        # It has the parameters already, in the order of their numbers.
        found = self.among(request, list(request.path_params.values()))
        if isinstance(found, Meant) or not self.rivals:
            return found
        return self.first(self.rivals, found, request, method_of(request), request.raw_path)

    @staticmethod
    def first(
        choices: Sequence[Choice],
        refused: Refused | None,
        request: Request,
        method: str,
        path: bytes,
    ) -> Meant | Refused | None:
        for choice in choices:
            values = choice.values(method, path)
            if values is None:
                continue
            found = choice.among(request, values)
            if isinstance(found, Meant):
                return found
            if found is not None:
                refused = found.after(refused)
        return refused


def method_of(request: Request) -> str:
    """What the table of routes has for the method of a request."""
    return request.method if request.websocket is None else WEBSOCKET


def holds(conditions: Conditions, request: Request) -> bool:
    """Whether all predicates say yes."""
    for predicate in conditions.when:  # noqa: SIM110 - a generator costs more than most predicates
        if not predicate(request):
            return False
    return True


def demands_less(conditions: Conditions, other: Conditions) -> bool:
    """Whether a route need not be asked, nor those behind it, where another is meant already."""
    return not conditions.hosts and (bool(other.hosts) or len(conditions.when) < len(other.when))


def weights(request: Request, conditions: Conditions) -> tuple[float, ...] | Unwanted | None:
    """How much a route is wanted, the smaller the more; None where it is not the one, Unwanted where only its media type is refused."""
    wanted: list[float] = []
    types: tuple[str, ...] = ()
    for each in conditions.weighed:
        weight = each.weight(request)
        if weight > 0:
            wanted.append(-weight)
        elif hasattr(each, "types"):
            types = (*types, *each.types)
        else:
            return None
    return Unwanted(types) if types else tuple(wanted)


class Choices:
    """Every choice of an App."""

    def __init__(self, router: _native.Router, routes: Sequence[CompiledRoute]) -> None:
        self.choices: list[Choice] = []
        self._router = router
        self._routes = routes
        self._methods = sorted({method for route in routes for method in route.methods})
        self._dispatch: AppDispatch | None = None
        self._threads: Threads | None = None

    def attach(self, dispatch: AppDispatch, threads: Threads) -> None:
        self._dispatch, self._threads = dispatch, threads

    def find(
        self, request: Request, method: str, path: bytes
    ) -> Meant | Refused | CompiledRoute | None:
        """What a method and a path lead to, for the host and the fields of a request."""
        found = self._router.find(method, path)
        if not found or not isinstance(found[0], int):
            return None
        return self.of_target(found[0], request, method, path)

    def of_target(
        self, target: int, request: Request, method: str, path: bytes
    ) -> Meant | Refused | CompiledRoute | None:
        if target < len(self._routes):
            return self._routes[target]
        return self.choices[target - len(self._routes)].find(request, method, path)

    @property
    def blocks(self) -> bool:
        """Whether finding the route that is meant may block."""
        return any(choice.blocks for choice in self.choices)

    def leads(self, request: Request, path: bytes) -> bool:
        """Whether a route answers a request's method on another path than its own."""
        found = self._router.find(request.method, path)
        if not found or not isinstance(found[0], int):
            return False
        if found[0] >= len(self._routes) and self.choices[found[0] - len(self._routes)].walks:
            # No tree has names that end with a slash; without one it is for the next request to find out.
            return not path.endswith(b"/")
        return self.of_target(found[0], request, request.method, path) is not None

    def peek(self, target: int, request: Request) -> Meant | Refused | CompiledRoute | None:
        """The route that a request will mean, where that can be told without waiting."""
        if target >= len(self._routes) and self.choices[target - len(self._routes)].blocks:
            return None
        return self.of_target(target, request, method_of(request), request.raw_path)

    def allowed(self, request: Request) -> tuple[str, ...] | None:
        """The methods that the path of a request takes, for its host and its fields; None where it takes none."""
        path = request.raw_path
        found = tuple(
            method for method in self._methods if self.find(request, method, path) is not None
        )
        return found or None

    def vary(self, path: bytes) -> tuple[str, ...]:
        """The header fields that decide which methods a path takes, if any."""
        fields: dict[str, None] = {}
        for method in self._methods:
            found = self._router.find(method, path)
            if found and isinstance(found[0], int) and found[0] >= len(self._routes):
                fields |= dict.fromkeys(self.choices[found[0] - len(self._routes)].vary)
        return tuple(fields)

    def plans(self) -> list[_native.Plan]:
        """A plan for each choice."""
        return [self.plan_of(choice) for choice in self.choices]

    def plan_of(self, choice: Choice) -> _native.Plan:
        reachable = choice.reachable
        in_thread = choice.blocks
        answer = self.answer_here if in_thread else self.answer
        return _native.Plan(
            partial(answer, choice),
            kind="thread" if in_thread else "async",
            binders=REQUEST.binders,
            slow=REQUEST.slow,
            encoder="answer",
            max_body=max(each.route.max_body for each in reachable),
            stream_body=choice.candidates[0].route.served.binding.streams,
            name=choice.candidates[0].route.path,
        )

    # -- at a request

    async def answer(self, choice: Choice, request: Request) -> Answer:
        """Answer as the route that is meant does; on the event loop."""
        index: int | None = None
        try:
            found = choice.meant(request)
            if not isinstance(found, Meant):
                index = None if found is None else found.candidate.route.index
                return await self.settled(self.missed(request, found))
            candidate = found.candidate
            index = candidate.route.index
            self.enter(request, found)
            if candidate.kind == "async":
                value = await candidate.call(request)
            elif candidate.kind == "inline":
                value = candidate.call(request)
            else:
                value = await self.threads.call(partial(candidate.call, request))
            return varied(self.made(request, index, value), choice.vary)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is answered
            answer = await self.settled(self.dispatch.fail(request, index, error))
            return varied(answer, choice.vary)

    def answer_here(self, choice: Choice, request: Request) -> Answer:
        """The same on a worker thread: where finding the route may block."""
        index: int | None = None
        try:
            found = choice.meant(request)
            if not isinstance(found, Meant):
                index = None if found is None else found.candidate.route.index
                return self.settled_here(partial(self.missed, request, found))
            candidate = found.candidate
            index = candidate.route.index
            self.enter(request, found)
            value = (
                on_loop(candidate.call, request)
                if candidate.kind == "async"
                else candidate.call(request)
            )
            return varied(self.made(request, index, value), choice.vary)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is answered
            answer = self.settled_here(partial(self.dispatch.fail, request, index, error))
            return varied(answer, choice.vary)

    @property
    def dispatch(self) -> AppDispatch:
        if self._dispatch is None:
            raise RuntimeError("the App is not compiled yet")
        return self._dispatch

    @property
    def threads(self) -> Threads:
        if self._threads is None:
            raise RuntimeError("the App is not compiled yet")
        return self._threads

    def enter(self, request: Request, meant: Meant) -> None:
        """From now on the request is the route's.

        Raises:
            ContentTooLarge: `http.body-too-large`: the routes of a choice may differ in what they take.
        """
        route = meant.candidate.route
        request.__lead__(route.index, meant.params)
        if len(request.body) > route.max_body:
            raise ContentTooLarge(
                "The request's body is larger than is allowed here.", code="http.body-too-large"
            )

    def made(self, request: Request, index: int, value: Any) -> Answer:
        if isinstance(value, Answer):
            return value
        return self.dispatch.answer(request, index, value)

    def missed(self, request: Request, found: Refused | None) -> Answer | Awaitable[Answer]:
        if found is not None:
            raise NotAcceptable(f"there is {' and '.join(found.types)}")
        # Which methods there are is found out anew: the engine does not know.
        return self.dispatch.miss(request, ())

    @staticmethod
    async def settled(answer: Answer | Awaitable[Answer]) -> Answer:
        return answer if isinstance(answer, Answer) else await answer

    def settled_here(self, make: Callable[[], Answer | Awaitable[Answer]]) -> Answer:
        answer = make()
        return answer if isinstance(answer, Answer) else on_loop(self.settled, answer)
