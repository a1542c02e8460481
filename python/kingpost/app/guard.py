"""Who may ask at all: refusal of other sites' forms, of foreign hosts, and of bodies that nobody decodes.

Rule: an unsafe request that carries what browsers send by themselves (cookies; `Authorization`, unless it is `Bearer`, which only
programs send) must come from our own pages. `Sec-Fetch-Site` is the browser's word, and no page can
forge it; where it is absent, `Origin` is compared with the host that was asked. A client that sends neither is no browser. A WebSocket is
refused to pages of other sites in any case.
"""

from __future__ import annotations

from collections.abc import Sequence

from kingpost.app.hosts import is_our_host
from kingpost.errors import BadRequest, Forbidden, UnsupportedMediaType
from kingpost.http.credentials import SAFE_METHODS, has_credentials
from kingpost.http.request import Request

OWN_PAGES = ("same-origin", "none")


def check_host(request: Request, hosts: Sequence[str]) -> None:
    """Raises BadRequest `request.unknown-host` for a host that is none of `hosts`."""
    if not is_our_host(request.host, hosts):
        raise BadRequest("this server does not answer for that host", code="request.unknown-host")


def check_origin(request: Request, hosts: Sequence[str]) -> None:
    """Raises Forbidden `request.cross-site` for an unsafe request with credentials that another site's page caused."""
    if request.websocket is not None:
        check_websocket_origin(request, hosts)
        return
    if request.method in SAFE_METHODS or not has_credentials(request):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in OWN_PAGES or (site is None and origin is None):
        return
    if origin is not None and origin != "null":
        # scheme "://" host [ ":" port ], and nothing else (RFC 6454 section 7.1)
        asking = origin.partition("://")[2].lower()
        if (site is None and asking == request.host.lower()) or (
            asking and is_our_host(asking, hosts)
        ):
            return
    raise Forbidden(
        "a page of another site may not do this in your name", code="request.cross-site"
    )


def check_websocket_origin(request: Request, hosts: Sequence[str]) -> None:
    """Raises Forbidden `request.cross-site` for a WebSocket that another site's page asks for.

    A browser sends our cookies with it, and keeps nothing that we send from that page. Every browser says `Origin` here (RFC 6455 section
    4.1); programs need not.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return
    asking = origin.partition("://")[2].lower()
    if asking and (asking == request.host.lower() or is_our_host(asking, hosts)):
        return
    raise Forbidden(
        "a page of another site may not open a WebSocket here", code="request.cross-site"
    )


def check_coding(request: Request) -> None:
    """Raises UnsupportedMediaType `request.encoded-body` for a body that is compressed: what would be read are other bytes than were meant."""
    said = request.headers.get("content-encoding", "").strip().lower()
    if said not in ("", "identity"):
        raise UnsupportedMediaType(
            f"the body is encoded as {said[:80]!r}; send it as it is, without content-encoding",
            code="request.encoded-body",
            # RFC 9110 section 15.5.16: Accept-Encoding in a 415 says that the coding is what was wrong.
            headers={"Accept-Encoding": "identity"},
        )
