"""Who may ask at all: refusal of other sites' forms, of foreign hosts, and of bodies that nobody decodes.

Rule 1: an unsafe request that carries what browsers send by themselves (cookies; `Authorization`, unless it is `Bearer`, which only
programs send) must come from our own pages. `Sec-Fetch-Site` is the browser's word, and no page can
forge it; where it is absent, `Origin` is compared with the host that was asked. A client that sends neither is no browser.
Rule 2: hosts are compared as they stand, without case; never as patterns, but for a leading `*.`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kingpost.errors import BadRequest, ConfigurationError, Forbidden, UnsupportedMediaType
from kingpost.types import Place

if TYPE_CHECKING:
    from kingpost.http.request import Request

OWN_PAGES = ("same-origin", "none")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


def check_hosts_option(hosts: Sequence[str]) -> tuple[str, ...]:
    """Hosts in lower case.

    Raises:
        ConfigurationError: `app.bad-host` for what is no host name.
    """
    if isinstance(hosts, str):
        raise bad_host(hosts, 'write hosts=["example.org"]')
    for host in hosts:
        plain = host.removeprefix("*.")
        if not plain or any(character in plain for character in "/*@ ") or "://" in host:
            raise bad_host(host, 'write "example.org", or "*.example.org" for all names below it')
    return tuple(host.lower() for host in hosts)


def bad_host(host: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"hosts={host!r} is no list of host names",
        code="app.bad-host",
        remedy=remedy,
        places=[Place.of_caller()],
    )


def is_our_host(asked: str, hosts: Sequence[str]) -> bool:
    """Whether a Host (with its port, if it has one) is one of ours."""
    asked = asked.lower()
    name = asked if asked.endswith("]") else asked.rpartition(":")[0] or asked
    return any(
        name.endswith(host[1:]) and len(name) >= len(host)
        if host.startswith("*.")
        else host in (asked, name)
        for host in hosts
    )


def check_host(request: Request, hosts: Sequence[str]) -> None:
    """Raises BadRequest `request.unknown-host` for a host that is none of `hosts`."""
    if not is_our_host(request.host, hosts):
        raise BadRequest("this server does not answer for that host", code="request.unknown-host")


def check_origin(request: Request, hosts: Sequence[str]) -> None:
    """Raises Forbidden `request.cross-site` for an unsafe request with credentials that another site's page caused."""
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


def has_credentials(request: Request) -> bool:
    """Whether there is what a browser sends along whichever page asks (the engine asks the same: crates/wire/src/http1/known.rs)."""
    if "cookie" in request.headers:
        return True
    said = request.headers.get("authorization")
    return said is not None and said.partition(" ")[0].lower() != "bearer"


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
