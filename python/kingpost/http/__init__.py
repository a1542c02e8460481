"""What a request says and what a response is. No sockets and no routing: those lie below and above."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kingpost.http.accept import MediaRange, best_match, parse_accept, prefers_html
from kingpost.http.before_body import before_body
from kingpost.http.cache_control import CacheControl
from kingpost.http.headers import Headers, ResponseHeaders
from kingpost.http.media_type import MediaType
from kingpost.http.multidict import MultiDict
from kingpost.http.problem import problem, problem_json
from kingpost.http.request import Request
from kingpost.http.response import Redirect, Response
from kingpost.http.stream import BodyStream

if TYPE_CHECKING:
    from kingpost.http.files import FileResponse
    from kingpost.http.signed import require_signed_url
    from kingpost.http.sse import Event, EventStream, last_event_id
    from kingpost.http.websocket import WebSocket, WebSocketClosed

__all__ = [
    "BodyStream",
    "CacheControl",
    "Event",
    "EventStream",
    "FileResponse",
    "Headers",
    "MediaRange",
    "MediaType",
    "MultiDict",
    "Redirect",
    "Request",
    "Response",
    "ResponseHeaders",
    "WebSocket",
    "WebSocketClosed",
    "before_body",
    "best_match",
    "last_event_id",
    "parse_accept",
    "prefers_html",
    "problem",
    "problem_json",
    "require_signed_url",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Few programs send files or events, or sign links, which loads OpenSSL; all would pay at start.
        if name == "FileResponse":
            from kingpost.http.files import FileResponse

            return FileResponse
        if name == "require_signed_url":
            from kingpost.http.signed import require_signed_url

            return require_signed_url
        if name in ("Event", "EventStream", "last_event_id"):
            from kingpost.http import sse

            return getattr(sse, name)
        if name in ("WebSocket", "WebSocketClosed"):
            from kingpost.http import websocket

            return getattr(websocket, name)
        raise AttributeError(f"module 'kingpost.http' has no attribute {name!r}")
