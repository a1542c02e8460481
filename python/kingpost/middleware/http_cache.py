"""`HttpCache`: says for a route, a blueprint or the App how long its answers may be kept (RFC 9111).

Rule 1: what an answer says itself wins.
Rule 2: errors are told nothing, and nothing that sets a cookie is given to a cache that others share: it would hand it to the next visitor.
"""

from __future__ import annotations

from typing import Any, Unpack

from kingpost.http.before_body import before_body
from kingpost.http.cache_control import CacheControl, CacheOptions
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.routing.around import CallNext


@before_body
class HttpCache:
    """Sets `Cache-Control` on answers to GET and HEAD, below 400, that do not set it themselves.

    Together with `ConditionalGet(etag=…)` inside of it, a client that asks again is answered before the handler runs.

    Args:
        options: As of `CacheControl`, such as `public=True, max_age=3600`.

    Raises:
        ValueError: As `CacheControl`.

    Example:
        `@app.get("/prices", middleware=[HttpCache(public=True, max_age=60)])`
    """

    def __init__(self, **options: Unpack[CacheOptions]) -> None:
        self._field = str(CacheControl(**options))
        self._is_shared = not (options.get("private") or options.get("no_store"))

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        if request.method not in ("GET", "HEAD") or response.status >= 400:
            return response
        headers = response.headers
        sets_cookie = self._is_shared and "set-cookie" in headers
        headers.setdefault("cache-control", "no-store" if sets_cookie else self._field)
        return response
