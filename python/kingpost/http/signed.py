"""`require_signed_url`: the hook that lets only signed links through."""

from __future__ import annotations

from kingpost.http.request import Request
from kingpost.signing.urls import SignedUrls


def require_signed_url(request: Request, urls: SignedUrls) -> None:
    """Let a request pass that asks for a URL which `SignedUrls.sign` made: `before=[require_signed_url]`.

    Raises:
        BadSignature: 403: anything about the URL is not as it was signed.
    """
    urls.check(request)
