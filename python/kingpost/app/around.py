"""What the programs of routes need of the App: threads, answers, and what becomes of exceptions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from kingpost._native import Answer
from kingpost.app.answers import sealed
from kingpost.app.background import Background
from kingpost.app.connections import Connections
from kingpost.app.crossing import Threads, on_loop
from kingpost.app.lasting import Lasting
from kingpost.errors import HTTPError
from kingpost.http.request import Request
from kingpost.http.response import Response

if TYPE_CHECKING:
    from kingpost.app.dispatch import AppDispatch
    from kingpost.app.rendering import Rendering
    from kingpost.http.media import Codec


class Around:
    """Shared by all programs of one compiled App.

    Attributes:
        rendering: renders what handlers return; None where only the names of routes are asked for.
        codecs: what reads and writes other media types than JSON, by media type.
    """

    def __init__(self) -> None:
        self.threads = Threads()
        self.lasting = Lasting()
        self.connections = Connections(self.threads, self.lasting)
        self.background = Background(self.threads)
        self.rendering: Rendering | None = None
        self.codecs: Mapping[str, Codec] = {}
        self._dispatch: AppDispatch | None = None

    @property
    def dispatch(self) -> AppDispatch:
        if self._dispatch is None:
            raise RuntimeError("the App is not compiled yet")
        return self._dispatch

    def attach(self, dispatch: AppDispatch) -> None:
        self._dispatch = dispatch
        dispatch.threads = self.threads
        dispatch.follow = self.background.follow
        self.background.report = dispatch.report_background
        self.connections.report = dispatch.report_connection

    def of_route(self, index: int | None) -> RouteAround:
        return RouteAround(self, index)


class RouteAround:
    """As `Around`, for one route; None as its index stands for requests that no route answers."""

    def __init__(self, around: Around, index: int | None) -> None:
        self._around = around
        self._index = index
        self.threads = around.threads
        self._respond: Callable[[Request, Any], Response[Any]] | None = None

    def respond(self, request: Request, value: Any, /) -> Response[Any]:
        """The response for what a handler returned."""
        respond = self._respond
        if respond is None:
            respond = self._respond = self._around.dispatch.responder(self._index)
        return respond(request, value)

    async def caught(self, request: Request, error: Exception, /) -> Response[Any]:
        answer = self._around.dispatch.fail(request, self._index, error)
        if not isinstance(answer, Answer):
            answer = await answer
        return failed(request, error, answer)

    def caught_here(self, request: Request, error: Exception, /) -> Response[Any]:
        answer = self._around.dispatch.fail(request, self._index, error)
        if not isinstance(answer, Answer):
            answer = on_loop(partial(awaited, answer))
        return failed(request, error, answer)


def failed(request: Request, error: Exception, answer: Answer) -> Response[Any]:
    """The response to an exception; the request remembers one that nobody meant for the client."""
    if answer.status >= 500 and not isinstance(error, HTTPError):
        request.__fail__(error)
    return sealed(answer)


async def awaited(answer: Awaitable[Answer]) -> Answer:
    return await answer
