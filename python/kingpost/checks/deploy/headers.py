"""What browsers are told to refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kingpost.checks.deploy.site import Site, Told, warning
from kingpost.middleware import ContentSecurityPolicy, Cors, HttpsRedirect, SecurityHeaders

HALF_A_YEAR: Final = 180 * 24 * 3600


def hsts(site: Site) -> Iterator[Told]:
    """That browsers insist on https, for long enough to matter."""
    said = [
        each.hsts
        for each in (site.outermost(SecurityHeaders), site.outermost(HttpsRedirect))
        if each is not None and each.hsts is not None
    ]
    if not said:
        yield warning(
            "browsers are not told to insist on https, so the first request of each visit can be led astray",
            "add middleware: SecurityHeaders()",
        )
    elif max(each.max_age for each in said) < HALF_A_YEAR:
        yield warning(
            f"browsers insist on https for {max(each.max_age for each in said)} seconds only",
            "write hsts=Hsts(), which is a year",
        )


def security_headers(site: Site) -> Iterator[Told]:
    """That pages have the fields by which browsers refuse frames, referrers and devices."""
    if site.page is not None and site.outermost(SecurityHeaders) is None:
        yield warning(
            f"{site.page.path} is a page, and nothing tells browsers to refuse frames of other sites",
            "add middleware: SecurityHeaders()",
            site.page.place,
        )


def csp(site: Site) -> Iterator[Told]:
    """That pages have a policy, and that it is enforced."""
    if site.page is None:
        return
    found = list(site.everywhere(ContentSecurityPolicy))
    if not found:
        yield warning(
            f"{site.page.path} is a page without a Content-Security-Policy: a script that is smuggled in runs",
            "add middleware: ContentSecurityPolicy()",
            site.page.place,
        )
    elif all(each.is_report_only for each in found):
        yield warning(
            "the Content-Security-Policy only reports: a script that is smuggled in runs",
            "leave report_only out when the reports have become few",
        )


def csp_unsafe(site: Site) -> Iterator[Told]:
    """That the policy forbids scripts that stand in the page."""
    for each in site.everywhere(ContentSecurityPolicy):
        for directive in ("script-src", "script-src-elem", "default-src"):
            sources = each.policy.get(directive, ())
            # Beside a nonce, browsers do not look at it.
            if "'unsafe-inline'" in sources and "'nonce'" not in sources:
                yield warning(
                    f"{directive} of the Content-Security-Policy allows every script that stands in a page",
                    'write "\'nonce\'" in its place, and nonce="{{ csp_nonce() }}" in the scripts',
                )
            if directive != "default-src" and any(it in ("*", "http:", "https:") for it in sources):
                yield warning(
                    f"{directive} of the Content-Security-Policy allows scripts of every host",
                    "name the hosts, or use a nonce",
                )


def cors_wide(site: Site) -> Iterator[Told]:
    """That not every page of the web may read what is answered."""
    for each in site.everywhere(Cors):
        if each.is_for_all:
            yield warning(
                'Cors(origins=["*"]) lets every page of the web read the answers',
                "name the origins; silence this where the answers are for everybody",
            )


def cors_http(site: Site) -> Iterator[Told]:
    """That no page that came unencrypted may send cookies along."""
    for each in site.everywhere(Cors):
        plain = [it for it in each.origins if it.startswith("http://")]
        if plain:
            yield warning(
                f"Cors trusts {plain[0]}, which anybody on the way can change",
                "write https:// origins; those for development belong into settings",
            )


OF_APP: Final[Mapping[str, Callable[[Site], Iterator[Told]]]] = {
    "hsts": hsts,
    "security-headers": security_headers,
    "csp": csp,
    "csp-unsafe": csp_unsafe,
    "cors-wide": cors_wide,
    "cors-http": cors_http,
}
