"""What is particular to a WebSocket's route: who may be its handler, when the handshake is answered, and what an error becomes.

Rule 1: before the handshake is answered a WebSocket's request is a request like all others, and so is its refusal.
Rule 2: behind it nothing can be answered. What error handlers say of an exception chooses the code to close with: 1008 for what is the
client's fault (4xx), 1013 for 503, and 1011 for all else.
Rule 3: that the client goes is no error.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, Never, NoReturn, cast, get_origin

from kingpost.app.calls import is_kind
from kingpost.app.encoding import Encoding
from kingpost.binding.signature import EMPTY, Signature
from kingpost.errors import HTTPError
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.websocket import WebSocket
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
    """A handler behind which the handshake is answered in any case: one that has raised nothing has refused nobody.

    The engine does the same where it calls the handler itself. This is for what runs behind it: middleware and hooks.
    """

    @functools.wraps(handler)
    async def call(*args: Any, **named: Any) -> None:
        given, kind = (*args, *named.values()), cast("type[Any]", WebSocket)
        talk = next(each for each in given if isinstance(each, kind))
        running = handler(*args, **named)
        # They are its own now: of those who stay for hours there are thousands.
        del args, named, given
        await running
        if not talk.is_accepted:
            await talk.accept()

    return call


def ending(
    function: Callable[..., Any], caught: Callable[[Request, Exception], Awaitable[Response[Any]]]
) -> Callable[..., Any]:
    """What the engine calls: behind the handshake an exception ends here, with a code for the client.

    Args:
        function: takes the request.
        caught: has an exception reported, and the WebSocket closed.
    """

    @functools.wraps(function)
    async def call(request: Request) -> Any:
        try:
            return await function(request)
        except Exception as error:
            socket = request.websocket
            if socket is None or socket.talk is None or not socket.talk.is_accepted:
                raise
            await caught(request, error)

    return call


def farewell(status: int, error: BaseException) -> tuple[int, str]:
    """The code and the reason to close with, where an exception would have been answered with a status."""
    reason = ""
    if isinstance(error, HTTPError) and status < 500:
        reason = error.detail.encode()[:MAX_REASON].decode(errors="ignore")
    if 400 <= status < 500:
        return POLICY_VIOLATION, reason
    return (TRY_AGAIN_LATER if status == 503 else INTERNAL_ERROR), reason
