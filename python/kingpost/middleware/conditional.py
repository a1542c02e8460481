"""`ConditionalGet`: what the client has already is not sent again (RFC 9110 section 13).

Rule 1: without being told, only bodies that are whole get an entity tag, a hash of them; never streams, and nothing that is `no-store`.
Rule 2: a change is checked before the handler runs, or not at all: afterwards it would be too late to refuse it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any, TypeAlias

from kingpost.http.before_body import before_body
from kingpost.http.conditions import judge
from kingpost.http.date import parse_http_date
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.middleware.refusal import refused
from kingpost.routing.around import CallNext

MakeTag: TypeAlias = Callable[[Request], str | Awaitable[str | None] | None]

# What describes the content that a 304 has not (RFC 9110 section 15.4.5).
_ABOUT_THE_CONTENT = (
    "accept-ranges",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-range",
    "content-type",
    "last-modified",
)


@before_body
class ConditionalGet:
    """Answers 304 where the client has the very answer that would be sent.

    Without `etag`, the handler runs, and its whole body is compared by a hash: that saves the way, not the work. With it, a client that is up
    to date is answered before the handler runs, and a change that was made against another state is refused with 412.

    Args:
        etag: `f(request)` gives what changes with every state of the thing, such as a version or a date, or None where there is none; `def`
            ones must not block. It becomes a strong entity tag.

    Raises:
        ConfigurationError: `conditional.bad-etag`: it cannot be called.

    Example:
        `app.middleware(ConditionalGet())`
    """

    def __init__(self, *, etag: MakeTag | None = None) -> None:
        if etag is not None and not callable(etag):
            raise refused(
                "conditional.bad-etag", f"etag={etag!r} is no function", "write etag=version_of"
            )
        self._etag = etag

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        known = "" if self._etag is None else await self._asked(request, self._etag)
        if known and judge(request.method, request.headers, etag=known, modified=None) != "send":
            return Response(status=304, headers={"etag": known})
        response = await call_next(request)
        if request.method not in ("GET", "HEAD") or response.status != 200:
            return response
        headers = response.headers
        if known:
            headers.setdefault("etag", known)
            return response
        body = response.body
        if body is None or not may_be_kept(headers.get("cache-control", "")):
            return response
        if "etag" not in headers:
            headers["etag"] = tag_of(body)
        modified = parse_http_date(headers.get("last-modified"))
        if (
            judge(request.method, request.headers, etag=headers["etag"], modified=modified)
            == "send"
        ):
            return response
        response.status = 304
        response.body = b""
        for name in _ABOUT_THE_CONTENT:
            headers.pop(name, None)
        return response

    async def _asked(self, request: Request, make: MakeTag) -> str:
        made = make(request)
        value = await made if inspect.isawaitable(made) else made
        # Hashed, since any text may be given, and only some characters may stand in a tag.
        return "" if value is None else tag_of(value.encode())


def tag_of(data: bytes) -> str:
    """A strong entity tag: other bytes, another tag."""
    return f'"{blake2b(data, digest_size=16).hexdigest()}"'


def may_be_kept(cache_control: str) -> bool:
    return "no-store" not in (part.strip(" \t").lower() for part in cache_control.split(","))
