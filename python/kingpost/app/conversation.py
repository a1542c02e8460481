"""What is particular to a WebSocket's route: who may be its handler, when the handshake is answered, and what an error becomes.

Rule 1: before the handshake is answered a WebSocket's request is a request like all others, and so is its refusal.
Rule 2: behind it nothing can be answered. What error handlers say of an exception chooses the code to close with: 1008 for what is the
client's fault (4xx), 1013 for 503, and 1011 for all else.
Rule 3: that the client goes is no error.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, Never, NoReturn, get_origin

from kingpost import limits
from kingpost.app.calls import is_kind
from kingpost.app.encoding import Encoding
from kingpost.binding.signature import EMPTY, Signature
from kingpost.errors import HTTPError
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.websocket import TALK, WebSocket
from kingpost.schema.annotation import bare, spelled

TALKED: Final = 204
"""The status that middleware and hooks see when a conversation is over: there is nothing left to answer."""

MESSAGES: Final = Encoding("empty", "messages, until one side closes", takes_none=True)
"""What a WebSocket's handler returns is nothing."""

NOTHING: Final = (EMPTY, None, type(None), Never, NoReturn, Any, object)

POLICY_VIOLATION, INTERNAL_ERROR, TRY_AGAIN_LATER = 1008, 1011, 1013
"""Codes to close with (RFC 6455 section 7.4.1, and IANA's registry)."""

MAX_REASON: Final = 123
"""Bytes of a reason (RFC 6455 section 5.5)."""


def check_talks(handler: Callable[..., Any], signature: Signature) -> None:
    """Refuses what cannot be the handler of a WebSocket.

    Raises:
        SignatureError: `binding.websocket`.
    """
    is_async = functools.partial(is_kind, handler)
    if is_async(inspect.isasyncgenfunction):
        raise signature.refused(
            "binding.websocket",
            "a WebSocket's handler yields nothing",
            "write await ws.send(message) in place of yield",
        )
    if not is_async(inspect.iscoroutinefunction):
        raise signature.refused(
            "binding.websocket",
            "a WebSocket is talked to on the event loop, for as long as it lasts",
            f"write async def {signature.name}",
        )
    found = [
        parameter.name for parameter in signature.parameters if is_websocket(parameter.annotation)
    ]
    if not found:
        raise signature.refused(
            "binding.websocket",
            "no parameter is the WebSocket",
            "write ws: WebSocket for texts",
            "ws: WebSocket[In, Out] for messages of other types",
        )
    if len(found) > 1:
        raise signature.refused(
            "binding.websocket",
            f"{' and '.join(found)} would both be the WebSocket",
            "keep one of them",
        )
    if signature.returns not in NOTHING:
        raise signature.refused(
            "binding.websocket",
            f"{spelled(signature.returns)} is returned, and nobody would be sent it",
            "write -> None, and send with await ws.send(message)",
        )


def is_websocket(annotation: Any) -> bool:
    kind = bare(annotation).type
    return (get_origin(kind) or kind) is WebSocket


def accepting(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler behind which the handshake is answered in any case: one that has raised nothing has refused nobody."""

    @functools.wraps(handler)
    async def call(*args: Any, **named: Any) -> None:
        talk = talk_of((*args, *named.values()))
        assert talk is not None  # noqa: S101 - `check_talks` has seen to it
        running = handler(*args, **named)
        # They are its own now: of those who stay for hours there are thousands.
        del args, named
        life = Life(talk.request)
        try:
            await running
        finally:
            life.end()
        if not talk.is_accepted:
            await talk.accept()

    return call


def ending(
    function: Callable[..., Any], caught: Callable[[Request, Exception], Awaitable[Response[Any]]]
) -> Callable[..., Any]:
    """What the engine calls: behind the handshake an exception ends here, with a code for the client.

    Args:
        function: takes the handler's arguments, or the request.
        caught: has an exception reported, and the WebSocket closed.
    """

    @functools.wraps(function)
    async def call(*args: Any, **named: Any) -> Any:
        about = subject_of((*args, *named.values()))
        try:
            running = function(*args, **named)
            del args, named
            return await running
        except Exception as error:
            talk = talk_of((about,))
            if talk is None or not talk.is_accepted:
                raise
            await caught(talk.request, error)

    return call


def subject_of(arguments: Iterable[object]) -> object:
    """The one among a function's arguments that `talk_of` finds the WebSocket by."""
    kinds = (Request, WebSocket)
    return next((each for each in arguments if issubclass(type(each), kinds)), None)


def talk_of(arguments: Iterable[object]) -> WebSocket[Any, Any] | None:
    """The WebSocket among a handler's arguments, or of the request that is one of them."""
    for each in arguments:
        if isinstance(each, WebSocket):
            return each  # pyright: ignore[reportUnknownVariableType] - any messages
        if isinstance(each, Request) and TALK in each.cache:
            talk: WebSocket[Any, Any] = each.cache[TALK]
            return talk
    return None


class Life:
    """Ends a handler that goes on although its client is long gone: one that only sends would wait for something to send for ever."""

    __slots__ = ("_is_over", "_task", "_timer")

    def __init__(self, request: Request) -> None:
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False
        if request.connection is not None:
            request.watch_connection(self)

    def __call__(self) -> None:
        """The connection is over."""
        if not self._is_over:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(limits.WEBSOCKET_AFTERLIFE_SECONDS, self._cancel)

    def _cancel(self) -> None:
        if self._task is not None and not self._is_over:
            self._task.cancel("the client has left")

    def end(self) -> None:
        """The handler has ended: the task may serve others now."""
        self._is_over = True
        self._task = None
        if self._timer is not None:
            self._timer.cancel()


def farewell(status: int, error: BaseException) -> tuple[int, str]:
    """The code and the reason to close with, where an exception would have been answered with a status."""
    reason = ""
    if isinstance(error, HTTPError) and status < 500:
        reason = error.detail.encode()[:MAX_REASON].decode(errors="ignore")
    if 400 <= status < 500:
        return POLICY_VIOLATION, reason
    return (TRY_AGAIN_LATER if status == 503 else INTERNAL_ERROR), reason
