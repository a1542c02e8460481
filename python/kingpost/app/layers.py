"""Middleware, put around a program: the first listed is the outermost.

Rule 1: `call_next` gives a response, whatever happened inside: an exception has become the answer that error handlers make of it.
Rule 2: `async def` middleware runs on the loop, `def` middleware on a worker thread, around handlers of either kind.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from kingpost.app.answers import hook_answers
from kingpost.app.crossing import Threads, on_loop
from kingpost.app.streams import read_on_threads
from kingpost.binding.signature import signature_of
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.injection.provider import kind_of

Layer = Callable[[Request], Any]


class Surroundings(Protocol):
    """What layers need of the App."""

    @property
    def threads(self) -> Threads: ...
    async def caught(self, request: Request, error: Exception, /) -> Response[Any]: ...
    def caught_here(self, request: Request, error: Exception, /) -> Response[Any]: ...


def is_async(middleware: Callable[..., Any]) -> bool:
    return kind_of(middleware) == "async"


def check_middleware(middleware: Any) -> None:
    """Refuses what cannot be called with a request and the rest.

    Raises:
        SignatureError: `binding.middleware`.
    """
    signature = signature_of(middleware)
    required = [
        parameter
        for parameter in signature.parameters
        if parameter.default is inspect.Parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    positional = [
        parameter
        for parameter in signature.parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters)
    takes_two = len(required) <= 2 and (len(positional) >= 2 or takes_any)
    if not takes_two or any(p.kind is p.KEYWORD_ONLY for p in required):
        raise signature.refused(
            "binding.middleware",
            "middleware takes the request and the rest of it",
            "write async def f(request: Request, call_next: CallNext) -> Response",
        )
    if kind_of(middleware) not in ("def", "async"):
        raise signature.refused(
            "binding.middleware", "middleware returns a response and yields nothing", "write return"
        )


def layered(
    inner: Layer, *, inner_is_async: bool, middleware: Sequence[Any], around: Surroundings
) -> tuple[Layer, bool]:
    """A function of the request with all middleware around `inner`, and whether it is `async`."""
    for each in reversed(middleware):
        if is_async(each):
            inner = async_layer(each, inner if inner_is_async else on_thread(inner, around), around)
            inner_is_async = True
        else:
            inner = sync_layer(each, partial(on_loop, inner) if inner_is_async else inner, around)
            inner_is_async = False
    return inner, inner_is_async


def on_thread(inner: Layer, around: Surroundings) -> Layer:
    call, aside = around.threads.call, around.threads.aside

    async def start(request: Request) -> Response[Any]:
        return read_on_threads(await call(partial(inner, request)), aside)

    return start


def async_layer(middleware: Any, inner: Layer, around: Surroundings) -> Layer:
    answers = hook_answers(signature_of(middleware), around.threads.aside)
    respond, caught = answers.respond, around.caught

    async def layer(request: Request) -> Response[Any]:
        try:
            response = await middleware(request, inner)
            if isinstance(response, Response) and response.encoded is not None:
                # What `call_next` gave.
                return response  # pyright: ignore[reportUnknownVariableType] - any content
            return respond(response)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is answered
            return await caught(request, error)

    return layer


def sync_layer(middleware: Any, inner: Layer, around: Surroundings) -> Layer:
    answers = hook_answers(signature_of(middleware), around.threads.aside)
    respond, caught = answers.respond, around.caught_here

    def layer(request: Request) -> Response[Any]:
        try:
            response = middleware(request, inner)
            if isinstance(response, Response) and response.encoded is not None:
                return response  # pyright: ignore[reportUnknownVariableType] - any content
            return respond(response)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises is answered
            return caught(request, error)

    return layer
