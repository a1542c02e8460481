"""The types of what runs around handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from kingpost.http.request import Request
from kingpost.http.response import Response

CallNext: TypeAlias = Callable[[Request], Awaitable[Response[Any]]]
"""The rest of the request, as `async def` middleware calls it: `response = await call_next(request)`."""

SyncCallNext: TypeAlias = Callable[[Request], Response[Any]]
"""The rest of the request, as `def` middleware calls it: `response = call_next(request)`."""

Middleware: TypeAlias = (
    Callable[[Request, CallNext], Awaitable[Response[Any]]]
    | Callable[[Request, SyncCallNext], Response[Any]]
)
"""What runs around handlers."""
