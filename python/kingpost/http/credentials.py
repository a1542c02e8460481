"""What says who asks, and is sent by browsers whichever page asks."""

from __future__ import annotations

from typing import Final

from kingpost.http.request import Request

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS", "TRACE")
"""Methods that change nothing (RFC 9110 section 9.2.1), so that another site's page may cause them."""


def has_credentials(request: Request) -> bool:
    """Whether there is what a browser sends by itself: a cookie, or an `Authorization` that is not `Bearer`, which only programs send.

    The engine asks the same: crates/wire/src/http1/known.rs.
    """
    if "cookie" in request.headers:
        return True
    said = request.headers.get("authorization")
    return said is not None and said.partition(" ")[0].lower() != "bearer"
