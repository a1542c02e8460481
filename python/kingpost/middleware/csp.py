"""`ContentSecurityPolicy`: what a page may load and run (CSP Level 3), with a nonce for each request.

Rule 1: a nonce is made anew for each request, 128 bits from the system's source of chance: one that can be guessed, or comes twice, is none.
Rule 2: a policy is checked when it is made. Browsers skip what they do not know, without a word: `self` without its quotes is a host.
Rule 3: what a handler says itself stays.
"""

from __future__ import annotations

import base64
import difflib
import os
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from kingpost.http.before_body import before_body
from kingpost.http.headers import check_field
from kingpost.http.request import Request
from kingpost.http.response import Response
from kingpost.middleware.refusal import refused
from kingpost.routing.around import CallNext

SELF: Final = "'self'"
"""The site itself: same scheme, host and port."""
NONE: Final = "'none'"
"""Nothing; stands alone."""
NONCE: Final = "'nonce'"
"""What carries the nonce of the request: `<script nonce="…">` with `csp_nonce(request)`."""
STRICT_DYNAMIC: Final = "'strict-dynamic'"
"""What a script with a nonce loads is trusted as well, and lists of hosts are not asked."""
UNSAFE_INLINE: Final = "'unsafe-inline'"
"""Every script, or style, that stands in the page; browsers that know nonces ignore it beside one."""

SOURCES: Final = frozenset(
    {
        "child-src",
        "connect-src",
        "default-src",
        "fenced-frame-src",
        "font-src",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "object-src",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "worker-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
    }
)
"""Directives that list sources."""
_OTHERS = frozenset(
    {
        "report-to",
        "report-uri",
        "require-trusted-types-for",
        "sandbox",
        "trusted-types",
        "upgrade-insecure-requests",
    }
)
_TAKES_NONCE = frozenset(
    {
        "default-src",
        "script-src",
        "script-src-elem",
        "style-src",
        "style-src-elem",
    }
)
_KEYWORDS = frozenset(
    {
        SELF,
        NONE,
        STRICT_DYNAMIC,
        UNSAFE_INLINE,
        "'inline-speculation-rules'",
        "'report-sample'",
        "'report-sha256'",
        "'report-sha384'",
        "'report-sha512'",
        "'trusted-types-eval'",
        "'unsafe-eval'",
        "'unsafe-hashes'",
        "'wasm-unsafe-eval'",
    }
)
_HASH = re.compile(r"'sha(256|384|512)-[A-Za-z0-9+/_-]+={0,2}'", re.ASCII)
_GROUP = "csp"
_CACHED = "csp_nonce"

DEFAULT: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
    }
)
"""Everything from the site itself; scripts and styles in pages with the nonce."""


def csp_nonce(request: Request) -> str:
    """The nonce of a request: `<script nonce="…">` lets a script run that stands in the page.

    The same for the whole request, another one for each request. Its characters need no escaping in HTML.
    """
    nonce: str | None = request.cache.get(_CACHED)
    if nonce is None:
        nonce = base64.b64encode(os.urandom(16)).decode().rstrip("=")
        request.cache[_CACHED] = nonce
    return nonce


@before_body
class ContentSecurityPolicy:
    """Says with every answer what its page may load and run.

    Args:
        policy: Directives and their sources, such as `{"default-src": [SELF], "script-src": [SELF, NONCE]}`; `DEFAULT` if not said. A
            directive without values, such as "upgrade-insecure-requests", has `[]`.
        report_only: Browsers report what they would have refused, and refuse nothing: to try a policy. Register a second one to enforce.
        report_to: The path that reports are sent to; see `CspReports`.

    Raises:
        ConfigurationError: `csp.unknown-directive`, `csp.bad-source`, `csp.bad-report-path`, or `csp.empty`.

    Example:
        `app.middleware(ContentSecurityPolicy({**DEFAULT, "img-src": [SELF, "https://images.example.org"]}))`
    """

    def __init__(
        self,
        policy: Mapping[str, Sequence[str]] | None = None,
        *,
        report_only: bool = False,
        report_to: str | None = None,
    ) -> None:
        chosen = DEFAULT if policy is None else policy
        if not chosen:
            raise refused(
                "csp.empty", "a policy without directives allows everything", "leave it out"
            )
        self.policy = chosen
        self.is_report_only = report_only
        parts = [written(directive, values) for directive, values in chosen.items()]
        self._endpoints: tuple[tuple[str, str], ...] = ()
        if report_to is not None:
            if not report_to.startswith("/") or re.search(r'[\s;,"\\]', report_to):
                raise refused(
                    "csp.bad-report-path",
                    f"report_to={report_to!r} is no path of this site",
                    'write report_to="/csp-reports"',
                )
            # Both: report-uri for browsers that do not know Reporting-Endpoints.
            parts += [f"report-uri {report_to}", f"report-to {_GROUP}"]
            self._endpoints = (check_field("reporting-endpoints", f'{_GROUP}="{report_to}"'),)
        self._parts = check_field("content-security-policy", "; ".join(parts))[1].split(NONCE)
        self._name = (
            "content-security-policy-report-only" if report_only else "content-security-policy"
        )

    async def __call__(self, request: Request, call_next: CallNext) -> Response[Any]:
        response = await call_next(request)
        headers = response.headers
        if self._name not in headers:
            # Checked when the policy was made; a nonce has letters and digits.
            headers.fill(((self._name, self._field(request)), *self._endpoints))
        return response

    def _field(self, request: Request) -> str:
        if len(self._parts) == 1:
            return self._parts[0]
        return f"'nonce-{csp_nonce(request)}'".join(self._parts)


def written(directive: str, values: Sequence[str]) -> str:
    """A directive as a field has it."""
    if directive not in SOURCES and directive not in _OTHERS:
        near = difflib.get_close_matches(directive, sorted(SOURCES | _OTHERS), 1)
        raise refused(
            "csp.unknown-directive",
            f"browsers know no directive {directive!r}",
            f"write {near[0]!r}" if near else "see CSP Level 3, section 6",
        )
    if isinstance(values, str):
        raise bad_source(directive, values, f"write a list: [{values!r}]")
    for value in values:
        check_characters(directive, value)
        if directive in SOURCES:
            check_source(directive, value)
    if directive in SOURCES and not values:
        raise bad_source(directive, "", "write [NONE] to allow nothing")
    if NONE in values and len(values) > 1:
        raise bad_source(directive, NONE, "'none' stands alone: leave it or the others out")
    return " ".join([directive, *values])


def check_characters(directive: str, value: str) -> None:
    if not value or not value.isascii() or any(c <= " " or c in ";,\x7f" for c in value):
        raise bad_source(
            directive, value, "one source for each item, without blanks and semicolons"
        )


def check_source(directive: str, source: str) -> None:
    if source == NONCE:
        if directive not in _TAKES_NONCE:
            raise bad_source(
                directive, source, "a nonce means something for scripts and styles only"
            )
    elif source.startswith("'"):
        if source.startswith("'nonce-"):
            raise bad_source(
                directive, source, "write NONCE: a nonce that is always the same is none"
            )
        if source not in _KEYWORDS and not _HASH.fullmatch(source):
            near = difflib.get_close_matches(source, sorted(_KEYWORDS), 1)
            raise bad_source(
                directive, source, f"write {near[0]}" if near else "browsers know none such"
            )
    elif f"'{source.lower()}'" in _KEYWORDS | {NONCE}:
        raise bad_source(
            directive, source, f"write \"'{source.lower()}'\": without quotes it is a host"
        )


def bad_source(directive: str, source: str, remedy: str) -> Exception:
    return refused("csp.bad-source", f"{directive}: {source!r} would not do what it says", remedy)
