"""The notice that `kingpost dev` puts on pages while the newest code does not run.

The old code keeps serving, and every HTML page that it answers carries a bar which says so. Decided against a page of
its own in place of the answer: then the site would be gone for the one person who needs it to look at, and a form that
is half filled in would be lost with a reload.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any, cast

from kingpost import _native
from kingpost.server.child import Failure

_STYLE = (
    "[data-kingpost=notice]{all:initial;display:block;position:fixed;left:0;right:0;bottom:0;z-index:2147483647;"
    "box-sizing:border-box;max-height:50vh;overflow:auto;padding:12px 16px;background:#7a1022;color:#fff;"
    "font:14px/1.45 system-ui,sans-serif;overflow-wrap:anywhere;box-shadow:0 -2px 12px rgba(0,0,0,.35)}"
    "[data-kingpost=notice] *{all:revert}"
    "[data-kingpost=notice] details{margin-top:6px}"
    "[data-kingpost=notice] summary{cursor:pointer}"
    "[data-kingpost=notice] pre{font:12px/1.4 ui-monospace,monospace;white-space:pre-wrap}"
    # Room for the bar below the end of the page: it covers nothing.
    "html{padding-bottom:8rem!important}"
    "@media print{[data-kingpost=notice]{display:none}html{padding-bottom:0!important}}"
)
_DIGEST = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
_POLICIES = ("content-security-policy", "content-security-policy-report-only")
_FALLBACKS = ("style-src-elem", "style-src", "default-src")


def bar(failure: Failure) -> bytes:
    """The notice as HTML, to stand at the end of a page. No script."""
    return (
        f'\n<style data-kingpost="notice-style">{_STYLE}</style>'
        '<div role="alert" data-kingpost="notice">'
        "<strong>Your last change does not run.</strong> This page comes from the code before it."
        f"<details><summary>{_escape(failure.summary)}</summary>"
        f"<pre>{_escape(failure.report)}</pre>"
        "</details></div>\n"
    ).encode("utf-8", "replace")


def allowing(policy: str) -> str:
    """A Content-Security-Policy that lets the notice's style be, and is otherwise as it was.

    The directive that decides about `<style>` gets the digest of ours; one that lets every style be stays, for a digest would take that back.
    """
    return ", ".join(_allowing(each.strip()) for each in policy.split(","))


def _allowing(policy: str) -> str:
    directives = [each.split() for each in policy.split(";") if each.strip()]
    names = [each[0].lower() for each in directives]
    decides = next((name for name in _FALLBACKS if name in names), None)
    if decides is None:
        return policy
    found = directives[names.index(decides)]
    sources = [each for each in found[1:] if each.lower() != "'none'"]
    closed = any(each.lower().startswith(("'nonce-", "'sha")) for each in sources)
    if "'unsafe-inline'" in map(str.lower, sources) and not closed:
        return policy
    if decides == "default-src":
        # Not for scripts and all the rest, too.
        directives.append(["style-src", *sources, _DIGEST])
    else:
        found[1:] = [*sources, _DIGEST]
    return "; ".join(" ".join(each) for each in directives)


def _escape(text: str) -> str:
    for character, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#39;"),
    ):
        text = text.replace(character, entity)
    return text


class _Never(str):
    """The class of no value."""

    __slots__ = ()


class NoticedDispatch:
    """A dispatch whose HTML answers carry a notice while there is one. For development only: it looks at every answer.

    Everything that it does not change is the wrapped dispatch's own.

    Args:
        dispatch: What is wrapped.
        may_tell: Whether who asks for this host may read source code.
    """

    html_type = _Never
    response_type = _Never
    """No page, and no Response that middleware or hooks have seen, is sent before it was looked at here."""

    def __init__(self, dispatch: object, may_tell: Callable[[str], bool]) -> None:
        self._dispatch: Any = dispatch
        self._may_tell = may_tell
        self.notice: Failure | None = None
        """What to tell; None for nothing. May be set from any thread."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dispatch, name)

    def answer(self, request: Any, plan: int, value: object) -> _native.Answer:
        return self._noticed(request, self._dispatch.answer(request, plan, value))

    def fail(self, request: Any, plan: int | None, error: BaseException) -> object:
        return self._passed(request, self._dispatch.fail(request, plan, error))

    def miss(self, request: Any, allowed: tuple[str, ...] | None) -> object:
        return self._passed(request, self._dispatch.miss(request, allowed))

    def _passed(self, request: Any, answer: object) -> object:
        if isinstance(answer, _native.Answer):
            return self._noticed(request, answer)
        return self._awaited(request, answer)

    async def _awaited(self, request: Any, answer: object) -> _native.Answer:
        return self._noticed(request, await cast("Any", answer))

    def _noticed(self, request: Any, answer: _native.Answer) -> _native.Answer:
        failure = self.notice
        if failure is None or not _is_page(answer) or not self._may_tell(request.host):
            return answer
        body = cast("bytes", answer.body)
        headers = [
            (name, allowing(value) if name.lower() in _POLICIES else value)
            for name, value in answer.headers
        ]
        return _native.Answer(answer.status, headers, body + bar(failure))


def _is_page(answer: _native.Answer) -> bool:
    if not isinstance(answer.body, bytes) or not answer.body:
        return False
    fields = {name.lower(): value.lower() for name, value in answer.headers}
    return (
        fields.get("content-type", "").startswith("text/html") and "content-encoding" not in fields
    )
