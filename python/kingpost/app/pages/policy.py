"""The Content-Security-Policy of our own pages: their style and their script, told by their digests, and nothing else.

A page of ours brings its own, in production too: a policy of the site's, with a nonce or without inline styles, would take its looks. The
middleware `ContentSecurityPolicy` leaves a policy that is there alone.
"""

from __future__ import annotations

from functools import cache

from kingpost.app.pages.style import COPY_SCRIPT, STYLE, TRACEBACK_STYLE


@cache
def page_policy(*, framed: bool) -> str:
    """The policy of a page of ours, as the header field has it.

    Args:
        framed: Whether pages of the same site may show it in a frame; a page that shows source code is in nobody's.
    """
    return "; ".join(
        (
            "default-src 'none'",
            # The icon of the site is an image to a browser.
            "img-src 'self'",
            f"style-src {digest_source(STYLE)} {digest_source(STYLE + TRACEBACK_STYLE)}",
            f"script-src {digest_source(COPY_SCRIPT)}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'" if framed else "frame-ancestors 'none'",
        )
    )


def digest_source(text: str) -> str:
    """What lets a style or a script of this text stand in a page, and no other."""
    # Not at the top: making an App needs neither.
    import base64
    import hashlib

    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
