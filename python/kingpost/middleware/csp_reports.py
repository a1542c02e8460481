"""`CspReports`: takes what browsers report about a Content Security Policy (CSP Level 3 section 5; the Reporting API).

Rule: anybody may send anything here, so what is kept is bounded in number and in size, has only the members that are known, and holds no
query of a URL, where secrets stand. Equal reports are counted, not kept again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec

from kingpost import limits
from kingpost.errors import UnsupportedMediaType
from kingpost.http.media import json
from kingpost.http.request import Request
from kingpost.middleware.refusal import refused

TYPES: Final = ("application/csp-report", "application/reports+json", "application/json")
"""What reports are sent as: `report-uri`, then `report-to`."""


class CspReport(msgspec.Struct, frozen=True):
    """Something that a policy refused, or would have refused.

    Attributes:
        document: The page, without query and fragment.
        directive: What refused it, such as "script-src-elem".
        blocked: What was refused: a URL without query and fragment, or a word such as "inline" or "eval".
        source: The file that asked for it, without query and fragment; "" where it is not known.
        line: In that file; 0 where it is not known.
        disposition: "enforce" or "report".
    """

    document: str
    directive: str
    blocked: str
    source: str = ""
    line: int = 0
    disposition: str = "enforce"


class CspReports:
    """A handler that keeps the latest reports; register it with `app.add_route("/csp-reports", reports, methods=["POST"])`.

    Args:
        keep: How many different reports are kept, the latest ones, 1 to 100,000.
        tell: Called with each report that was not kept already; it must not block.

    Raises:
        ConfigurationError: `csp.bad-keep`.
    """

    def __init__(
        self, *, keep: int = 1_000, tell: Callable[[CspReport], object] | None = None
    ) -> None:
        if not 1 <= keep <= 100_000:
            raise refused(
                "csp.bad-keep", f"keep={keep!r} is not from 1 to 100000", "write keep=1000"
            )
        self._keep = keep
        self._tell = tell
        self._lock = threading.Lock()
        self._counts: dict[CspReport, int] = {}

    async def __call__(self, request: Request) -> None:
        """Answers a browser.

        Raises:
            UnsupportedMediaType: The body is no report (code `csp.no-report`).
            BadRequest: It is no JSON (codes `json.…`).
        """
        media_type = request.content_type
        if media_type is None or media_type.essence not in TYPES:
            raise UnsupportedMediaType(f"send it as {TYPES[0]} or {TYPES[1]}", code="csp.no-report")
        for report in reports_in(json.decode(request.body)):
            self.add(report)

    def add(self, report: CspReport) -> None:
        """Keep a report, or count one more of those that are kept."""
        with self._lock:
            count = self._counts.pop(report, 0)
            self._counts[report] = count + 1
            if len(self._counts) > self._keep:
                del self._counts[next(iter(self._counts))]
        if count == 0 and self._tell is not None:
            self._tell(report)

    def latest(self) -> list[tuple[CspReport, int]]:
        """The reports that are kept and how often each came, the latest first."""
        with self._lock:
            return list(reversed(self._counts.items()))


def reports_in(document: Any) -> list[CspReport]:
    """The reports of either format; what is none is left out."""
    if isinstance(document, Mapping):
        one = cast("Mapping[str, Any]", document)
        return some(report_of(one.get("csp-report"), dashed=True))
    if not isinstance(document, list):
        return []
    found: list[CspReport] = []
    for item in document[: limits.CSP_REPORTS]:  # pyright: ignore[reportUnknownVariableType] - any items
        if isinstance(item, Mapping):
            each = cast("Mapping[str, Any]", item)
            if each.get("type") == "csp-violation":
                found += some(report_of(each.get("body"), dashed=False))
    return found


def some(report: CspReport | None) -> list[CspReport]:
    return [] if report is None else [report]


def report_of(body: Any, *, dashed: bool) -> CspReport | None:
    """A report by the names of `report-uri`, or by those of the Reporting API."""
    if not isinstance(body, Mapping):
        return None
    said = cast("Mapping[str, Any]", body)
    if dashed:
        directive = text(said.get("effective-directive") or said.get("violated-directive"))
        names = ("document-uri", "blocked-uri", "source-file", "line-number")
    else:
        directive = text(said.get("effectiveDirective"))
        names = ("documentURL", "blockedURL", "sourceFile", "lineNumber")
    document, blocked, source, line = (said.get(name) for name in names)
    if not directive:
        return None
    is_enforced = said.get("disposition") != "report"
    return CspReport(
        bare(document),
        directive.partition(" ")[0],
        bare(blocked),
        bare(source),
        line if type(line) is int and 0 <= line < 2**31 else 0,
        "enforce" if is_enforced else "report",
    )


def text(value: object) -> str:
    """At most 512 visible characters of ASCII; a URL has no others."""
    if not isinstance(value, str):
        return ""
    return "".join(
        each if " " <= each <= "~" else "_" for each in value[: limits.CSP_REPORT_CHARACTERS]
    )


def bare(url: object) -> str:
    """A URL without query, fragment and password; of a `data:` URL the scheme."""
    cut = text(url).partition("?")[0].partition("#")[0]
    scheme, separator, rest = cut.partition("://")
    if not separator:
        return cut.partition(":")[0]
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
