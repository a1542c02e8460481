"""`HttpsRedirect`: whoever comes over http is sent to https, for good, and told to come so from now on (RFC 6797).

Rule 1: what counts is `request.scheme`. Behind a proxy that is what `TrustedProxies` found, and never a field that a visitor could write
(CVE-2019-12781).
Rule 2: the browser is told to insist on https over https only: over http anybody on the way could say it (RFC 6797 section 7.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from kingpost.errors import BadRequest
from kingpost.http.before_body import before_body
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.http.url import absolute_url
from kingpost.middleware.headers import Hsts, hsts_field
from kingpost.middleware.paths import checked_paths, is_below
from kingpost.middleware.refusal import refused
from kingpost.routing.around import CallNext
from kingpost.routing.hosts import without_port

LOCAL = ("localhost", "127.0.0.1", "[::1]")


@before_body
class HttpsRedirect:
    """Sends requests over http to the same address over https (308, so that method and body stay), and tells browsers to insist on it.

    Requests for `localhost` are left alone: browsers take it for secure, and it is where a site is made.

    Args:
        hsts: What browsers are told over https; None for nothing. Begin with `Hsts(max_age=300)`: they cannot be told otherwise until the
            time is over.
        port: Of https, 1 to 65535.
        except_for: Parts of the site that are served over http as well, by the beginnings of their paths, such as
            "/.well-known/acme-challenge".

    Raises:
        ConfigurationError: `https.bad-port`, `middleware.bad-path`, `security-headers.bad-hsts`.

    Example:
        `app.middleware(HttpsRedirect())`
    """

    def __init__(
        self,
        *,
        hsts: Hsts | None = Hsts(),  # noqa: B008 - it cannot change
        port: int = 443,
        except_for: Sequence[str] = (),
    ) -> None:
        if not 1 <= port <= 65_535:
            raise refused("https.bad-port", f"port={port!r} is none", "write port=443")
        self.hsts = hsts
        self._fields = () if hsts is None else (hsts_field(hsts),)
        self._port = "" if port == 443 else f":{port}"
        self._exempt = checked_paths(except_for, option="except_for")

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        if request.scheme == "https":
            response = await call_next(request)
            response.headers.fill(self._fields)
            return response
        name = without_port(request.host)
        if name in LOCAL or name.endswith(".localhost") or is_below(request.path, self._exempt):
            return await call_next(request)
        return Response(status=308, headers={"location": self._location(request, name)})

    def _location(self, request: Request, name: str) -> str:
        target = request.raw_path
        if request.query_string:
            target += b"?" + request.query_string
        written = quote(target, safe="/%!$&'()*+,;=:@-._~?")
        try:
            return absolute_url("https", name + self._port, written)
        except ValueError:
            # HTTP/1.0 knows no Host; `OPTIONS *` has no path.
            raise BadRequest("come over https", code="https.required") from None
