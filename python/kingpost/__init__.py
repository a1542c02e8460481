"""Kingpost: a web framework that starts as one file and carries a whole house.

from kingpost import App

app = App()

@app.get("/")
def home() -> str:
    return "Hello, world!"
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgspec import Meta, Struct

    from kingpost.app.application import App, current_app
    from kingpost.app.plugins import Plugin
    from kingpost.binding.markers import (
        Body,
        Cookie,
        Depends,
        File,
        Form,
        Header,
        Path,
        Query,
        injected,
    )
    from kingpost.errors import (
        BadRequest,
        Conflict,
        Forbidden,
        HTTPError,
        NotFound,
        Unauthorized,
        ValidationError,
    )
    from kingpost.html import Html
    from kingpost.http.background import BackgroundTasks
    from kingpost.http.files import FileResponse
    from kingpost.http.request import Request
    from kingpost.http.response import Redirect, Response
    from kingpost.http.sse import Event, EventStream
    from kingpost.http.stream import BodyStream
    from kingpost.http.uploads import MultipartStream, UploadFile
    from kingpost.http.websocket import WebSocket
    from kingpost.routing.around import CallNext, SyncCallNext
    from kingpost.routing.blueprint import Blueprint
    from kingpost.routing.route import Include, Route, route
    from kingpost.server.threads import from_thread
    from kingpost.settings import Secret, Settings

__all__ = [
    "App",
    "BackgroundTasks",
    "BadRequest",
    "Blueprint",
    "Body",
    "BodyStream",
    "CallNext",
    "Conflict",
    "Cookie",
    "Depends",
    "Event",
    "EventStream",
    "File",
    "FileResponse",
    "Forbidden",
    "Form",
    "HTTPError",
    "Header",
    "Html",
    "Include",
    "Meta",
    "MultipartStream",
    "NotFound",
    "Path",
    "Plugin",
    "Query",
    "Redirect",
    "Request",
    "Response",
    "Route",
    "Secret",
    "Settings",
    "Struct",
    "SyncCallNext",
    "Unauthorized",
    "UploadFile",
    "ValidationError",
    "WebSocket",
    "current_app",
    "from_thread",
    "injected",
    "route",
]

# Loaded at the first look (PEP 562): `kingpost --help` and the supervisor of `kingpost dev` need none of it.
_HOMES = {
    "App": "kingpost.app.application",
    "BackgroundTasks": "kingpost.http.background",
    "BadRequest": "kingpost.errors",
    "Blueprint": "kingpost.routing.blueprint",
    "Body": "kingpost.binding.markers",
    "BodyStream": "kingpost.http.stream",
    "CallNext": "kingpost.routing.around",
    "Conflict": "kingpost.errors",
    "Cookie": "kingpost.binding.markers",
    "Depends": "kingpost.binding.markers",
    "Event": "kingpost.http.sse",
    "EventStream": "kingpost.http.sse",
    "File": "kingpost.binding.markers",
    "FileResponse": "kingpost.http.files",
    "Forbidden": "kingpost.errors",
    "Form": "kingpost.binding.markers",
    "HTTPError": "kingpost.errors",
    "Header": "kingpost.binding.markers",
    "Html": "kingpost.html",
    "Include": "kingpost.routing.route",
    "Meta": "msgspec",
    "MultipartStream": "kingpost.http.uploads",
    "NotFound": "kingpost.errors",
    "Path": "kingpost.binding.markers",
    "Plugin": "kingpost.app.plugins",
    "Query": "kingpost.binding.markers",
    "Redirect": "kingpost.http.response",
    "Request": "kingpost.http.request",
    "Response": "kingpost.http.response",
    "Route": "kingpost.routing.route",
    "Secret": "kingpost.settings",
    "Settings": "kingpost.settings",
    "Struct": "msgspec",
    "SyncCallNext": "kingpost.routing.around",
    "Unauthorized": "kingpost.errors",
    "UploadFile": "kingpost.http.uploads",
    "ValidationError": "kingpost.errors",
    "WebSocket": "kingpost.http.websocket",
    "current_app": "kingpost.app.application",
    "from_thread": "kingpost.server.threads",
    "injected": "kingpost.binding.markers",
    "route": "kingpost.routing.route",
}


if not TYPE_CHECKING:
    # A checker that saw it would take every name for one of ours.
    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'kingpost' has no attribute {name!r}")
        value: object = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
