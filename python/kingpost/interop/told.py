"""Who asks an application of others, where proxies stand in front of the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from kingpost.errors import BadRequest
from kingpost.http.request import Request

Prepare: TypeAlias = Callable[[Request], None]
"""Reads what proxies say in the fields of a request, and has the request say it: `TrustedProxies.__before_guard__`."""
Told: TypeAlias = tuple[str | None, str, str | None] | Literal[False] | None
"""Address, scheme, and the host where that is another one than the request's; None: as the connection says; False: that is malformed."""


def teller(prepare: Sequence[Prepare]) -> Callable[[Request], Told] | None:
    """What the engine asks before it calls an application of others; None where nobody is believed."""
    if not prepare:
        return None

    def told(request: Request) -> Told:
        try:
            for each in prepare:
                each(request)
        except BadRequest:
            return False
        seen = request.__seen__()
        if seen is None:
            return None
        sent = super(Request, request).host
        return seen.client, seen.scheme, seen.host if seen.host != sent else None

    return told
